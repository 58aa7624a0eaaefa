/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpack_job.h"

#include "ctr-store/erofs.h"
#include "ctr-store/layer.h"
#include "ctr-store/unpack_target.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/partial.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unpack_job *unpack_job_new(const struct image *image, size_t position)
{
	struct unpack_job *job = xcalloc(1, sizeof *job);

	job->image = image;
	job->position = position;
	job->lock_fd = job->follow_lock_fd = job->arriving_fd = job->tree_fd = -1;
	job->worker = UNPACK_WORKER_NONE;
	return job;
}

/* Let another process have the layer. */
static void unlock(const struct unpack_site *site, struct unpack_job *job)
{
	const char *diff_id = unpack_job_layer(job)->diff_id;

	if (job->lock_fd >= 0)
		lock_discard(site->store->locks_fd, "layer", diff_id);
	if (job->follow_lock_fd >= 0)
		lock_discard(site->store->locks_fd, "follow", diff_id);
	cleanup_fd_p(&job->lock_fd);
	cleanup_fd_p(&job->follow_lock_fd);
}

void unpack_job_free(const struct unpack_site *site, struct unpack_job *job)
{
	unpack_worker_end(&job->worker);
	unlock(site, job);
	cleanup_fd_p(&job->arriving_fd);
	cleanup_fd_p(&job->tree_fd);
	free(job->id);
	free(job);
}

/* ---- starting ---- */

/* The layer is there already, from before or by another process. 1, 0 or -1. */
static int look_up(const struct unpack_site *site, struct unpack_job *job, struct error *err)
{
	int found = layer_find(site->store, unpack_job_layer(job), &job->id, err);

	if (found == 1)
		job->state = JOB_DONE;
	return found;
}

/* The lock KIND of the layer, if nobody has it: *fd is -1 then. */
static int try_lock(const struct unpack_site *site, const struct unpack_job *job, const char *kind,
		    int *fd, struct error *err)
{
	*fd = lock_take(site->store->locks_fd, kind, unpack_job_layer(job)->diff_id, LOCK_EXCLUSIVE,
			false, err);
	return *fd < 0 && err->kind != ERROR_IN_USE ? -1 : 0;
}

/* What the layer is in that store; *backend stays as it is where it is not there. */
static int find_form(const struct store *store, const struct image_layer *layer,
		     enum backend *backend, struct error *err)
{
	cleanup_free char *id = NULL;
	int found = layer_find(store, layer, &id, err);

	if (found <= 0)
		return found;
	cleanup_free char *path = layer_tree(id);
	*backend = erofs_is_image(store->layers_fd, path) ? BACKEND_EROFS : BACKEND_OVERLAY;
	return 0;
}

/* Make what the layer is unpacked to. */
static int make_target(struct unpack_site *site, struct unpack_job *job,
		       struct unpack_target *target, struct error *err)
{
	const struct image_layer *layer = unpack_job_layer(job);

	if (backend_settle(site->store, &site->staging, &site->backend, err) < 0)
		return -1;
	enum backend backend = site->backend;
	if (site->model && find_form(site->model, layer, &backend, err) < 0)
		return -1;
	random_name(job->directory);
	if (mkdirat(site->staging.fd, job->directory, 0700) < 0)
		return error_os(err, "cannot make a directory for layer %s", layer->diff_id);
	return unpack_target_make(site->staging.fd, job->directory, backend, target, err) < 0
		       ? error_prefix(err, "layer %s", layer->diff_id)
		       : 0;
}

/* blob_size: of a blob that is still coming; else 0. */
static int start_worker(struct unpack_site *site, struct unpack_job *job, int blob_fd,
			json_int_t blob_size, struct error *err)
{
	const struct image_layer *layer = unpack_job_layer(job);
	cleanup_unpack_target struct unpack_target target = { -1, -1 };

	if (make_target(site, job, &target, err) < 0)
		return -1;

	const struct unpack_task task = { .blob_fd = blob_fd,
					  .blob_size = blob_size,
					  .diff_fd = target.directory_fd,
					  .image_fd = target.image_fd,
					  .blob_digest = blob_size ? NULL : layer->blob,
					  .diff_id = layer->diff_id,
					  .lose_writes = site->lose_writes,
					  .user_namespace = user_namespace_marks(site->store),
					  .one_user = user_namespace_has_one_user() };
	if (unpack_worker_start(&task, &job->worker, err) < 0)
		return -1;
	log_message(LOG_LEVEL_INFO, "unpacking layer %s%s", layer->diff_id,
		    blob_size ? " as it comes" : "");
	return 0;
}

int unpack_job_start(struct unpack_site *site, struct unpack_job *job, struct error *err)
{
	int found = look_up(site, job, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (try_lock(site, job, "layer", &job->lock_fd, err) < 0)
		return -1;
	if (job->lock_fd < 0)
		return 0;
	found = look_up(site, job, err);
	if (found != 0) {
		unlock(site, job);
		return found < 0 ? -1 : 0;
	}

	cleanup_fd int blob_fd = layout_open_blob(&site->layout, unpack_job_layer(job)->blob, err);
	if (blob_fd < 0) {
		error_prefix(err, "image %s", image_label(job->image));
		return error_hint(err, "pull it again with skopeo-c copy");
	}
	if (start_worker(site, job, blob_fd, 0, err) < 0)
		return -1;
	job->state = JOB_RUNNING;
	return 0;
}

/* ---- a blob that is still coming ---- */

static json_int_t blob_size(const struct unpack_job *job)
{
	return json_integer_value(json_object_get(unpack_job_layer(job)->descriptor, "size"));
}

int unpack_job_follow(struct unpack_site *site, struct unpack_job *job, struct error *err)
{
	int found = look_up(site, job, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	job->state = JOB_WAITING;
	cleanup_fd int fd = partial_follow(site->store->tmp_fd, unpack_job_layer(job)->blob);
	if (fd < 0 || blob_size(job) <= 0)
		return 0;
	if (try_lock(site, job, "follow", &job->follow_lock_fd, err) < 0)
		return -1;
	if (job->follow_lock_fd < 0)
		return 0;
	if (start_worker(site, job, fd, blob_size(job), err) < 0)
		return -1;
	job->arriving_fd = steal_fd(&fd);
	job->state = JOB_FOLLOWING;
	return 0;
}

void unpack_job_blob_arrives(struct unpack_job *job)
{
	if (job->state == JOB_WAITING && !job->was_given_up)
		job->state = JOB_ARRIVING;
}

/* What was followed came to nothing. */
static void give_up(const struct unpack_site *site, struct unpack_job *job)
{
	struct error ignored; /* it goes with the staging directory */

	unpack_worker_end(&job->worker);
	unlock(site, job);
	cleanup_fd_p(&job->arriving_fd);
	cleanup_fd_p(&job->tree_fd);
	free(steal_ptr(&job->id));
	path_remove_tree(site->staging.fd, job->directory, &ignored);
	job->directory[0] = '\0';
	job->was_given_up = true;
	job->state = job->blob_is_here ? JOB_READY : JOB_WAITING;
}

/* Whether what was followed is the blob, or as good: it may have been begun anew elsewhere. */
static bool has_all(const struct unpack_site *site, const struct unpack_job *job)
{
	struct stat st;

	return fstat(job->arriving_fd, &st) == 0 && st.st_size == blob_size(job) &&
	       layout_has_blob(&site->layout, unpack_job_layer(job)->blob, blob_size(job));
}

void unpack_job_blob_is_here(const struct unpack_site *site, struct unpack_job *job)
{
	struct error ignored; /* without the lock another process may do the same */

	if (job->blob_is_here)
		return;
	job->blob_is_here = true;
	if (job->state == JOB_WAITING || job->state == JOB_ARRIVING) {
		job->state = JOB_READY;
	} else if (job->arriving_fd >= 0 && !has_all(site, job)) {
		give_up(site, job);
	} else if (job->state == JOB_FOLLOWING || job->state == JOB_DONE) {
		job->state = job->state == JOB_FOLLOWING ? JOB_RUNNING : JOB_DONE;
		(void)try_lock(site, job, "layer", &job->lock_fd, &ignored);
	}
}

/* ---- ending ---- */

static int write_facts(const struct unpack_site *site, const struct unpack_job *job, json_t *report,
		       bool leans, struct error *err)
{
	const struct image_layer *layer = unpack_job_layer(job);
	json_auto_t *facts = json_pack(
		"{s:s, s:s*, s:s, s:s, s:O, s:O, s:O*}", "diffId", layer->diff_id, "chainId",
		leans ? layer->chain_id : NULL, "blob", layer->blob, "mediaType",
		json_text(layer->descriptor, "mediaType", ""), "size",
		json_object_get(report, "size"), "entries", json_object_get(report, "entries"),
		"root", json_object_get(report, "root"));
	cleanup_free char *text = json_compact(facts);
	cleanup_free char *path = xasprintf("%s/layer.json", job->directory);
	cleanup_fd int fd = openat(site->staging.fd, path,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot write layer.json");
	return file_write_fd(fd, text, strlen(text), "layer.json", err);
}

static int end(const struct unpack_site *site, struct unpack_job *job, json_t *report,
	       struct error *err)
{
	const struct image_layer *layer = unpack_job_layer(job);
	int leans;
	json_int_t size, entries;

	unpack_worker_end(&job->worker);
	if (json_require(report, "the report of ctr-store-unpack", err, "{s:b, s:I, s:I}", "leans",
			 &leans, "size", &size, "entries", &entries) < 0 ||
	    write_facts(site, job, report, leans, err) < 0)
		return -1;
	job->id = xstrdup(digest_hex(leans ? layer->chain_id : layer->diff_id));
	job->state = JOB_DONE;
	return 0;
}

int unpack_job_hear(const struct unpack_site *site, struct unpack_job *job, struct error *err)
{
	json_auto_t *report = NULL;
	enum worker_news news;

	if (unpack_worker_read(&job->worker, &news, &report, err) < 0) {
		if (job->arriving_fd < 0)
			return error_prefix(err, "layer %s of image %s",
					    unpack_job_layer(job)->diff_id,
					    image_label(job->image));
		log_message(LOG_LEVEL_INFO, "%s; its whole blob is waited for", err->message);
		give_up(site, job);
		return 0;
	}
	if (news == WORKER_NEEDS_LOWER) {
		job->state = JOB_NEEDS_LOWER;
		/* what it becomes depends on this image, so nobody else waits for it */
		unlock(site, job);
	}
	return news == WORKER_DONE ? end(site, job, report, err) : 0;
}

int unpack_job_place(const struct unpack_site *site, struct unpack_job *job, struct error *err)
{
	if (renameat(site->staging.fd, job->directory, site->store->layers_fd, job->id) < 0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return error_os(err, "cannot put layer %s in its place", job->id);
	job->directory[0] = '\0';
	unlock(site, job);
	return 0;
}
