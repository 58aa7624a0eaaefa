/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpacker.h"

#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/overlay.h"
#include "ctr-store/unpack_target.h"
#include "ctr-store/unpack_worker.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOREIGN_POLL_MS = 20,
	SIGNAL_POLL_MS = 1000, /* one that comes just before poll() does not interrupt it */
	NEEDS_LOWER_MAX = 8,
};

enum job_state {
	JOB_WAITING,	 /* for its blob */
	JOB_READY,	 /* to be started */
	JOB_RUNNING,	 /* a worker writes it */
	JOB_NEEDS_LOWER, /* its worker waits for the layers beneath */
	JOB_DONE,
};

/* One layer of one image. */
struct job {
	const struct image *image;
	size_t position; /* in the image; 0 is the lowest */
	enum job_state state;
	struct unpack_worker worker;
	int lock_fd; /* exclusive, so that no other process does the same work; or -1 */
	char directory[RANDOM_NAME_SIZE]; /* in the staging directory, until it is committed */
	char *id;			  /* once done */
};

struct unpacker {
	const struct store *store;
	struct layout layout;
	struct staging staging;
	json_t *references;
	struct job **jobs; /* image after image, lowest layer first */
	size_t job_count, limit;
	bool foreign; /* a layer is being unpacked by another process */
	bool lose_writes;
	enum backend backend;
};

static const struct image_layer *layer_of(const struct job *job)
{
	return &job->image->layers[job->position];
}

/* ---- life ---- */

static size_t cpu_count(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

struct unpacker *unpacker_new(const struct store *store, struct error *err)
{
	cleanup_unpacker struct unpacker *unpacker = xcalloc(1, sizeof *unpacker);

	unpacker->store = store;
	unpacker->layout.fd = -1;
	unpacker->staging = (struct staging){ .fd = -1, .lock_fd = -1 };
	unpacker->references = json_array();
	unpacker->limit = cpu_count();
	if (backend_choose(store, NULL, &unpacker->backend, err) < 0 ||
	    image_layout(store, &unpacker->layout, err) < 0 ||
	    staging_open(store, &unpacker->staging, err) < 0)
		return NULL;
	unpack_target_spread(unpacker->staging.fd);
	return steal_ptr(&unpacker);
}

/* Let another process have the layer. */
static void unlock_job(const struct unpacker *unpacker, struct job *job)
{
	if (job->lock_fd < 0)
		return;
	lock_discard(unpacker->store->locks_fd, "layer", layer_of(job)->diff_id);
	close(steal_fd(&job->lock_fd));
}

void unpacker_free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	for (size_t i = 0; i < unpacker->job_count; i++) {
		unpack_worker_end(&unpacker->jobs[i]->worker);
		unlock_job(unpacker, unpacker->jobs[i]);
		free(unpacker->jobs[i]->id);
		free(unpacker->jobs[i]);
	}
	free(unpacker->jobs);
	staging_close(&unpacker->staging);
	layout_close(&unpacker->layout);
	json_decref(unpacker->references);
	free(unpacker);
}

void unpacker_lose_writes(struct unpacker *unpacker)
{
	unpacker->lose_writes = true;
}

void unpacker_set_backend(struct unpacker *unpacker, enum backend backend)
{
	unpacker->backend = backend;
}

int unpacker_add_image(struct unpacker *unpacker, const struct image *image, struct error *err)
{
	json_auto_t *references = image_references(image);

	json_array_extend(unpacker->references, references);
	if (staging_refer(&unpacker->staging, unpacker->references, err) < 0)
		return -1;
	unpacker->jobs = xreallocarray(unpacker->jobs, unpacker->job_count + image->layer_count,
				       sizeof(struct job *));
	for (size_t i = 0; i < image->layer_count; i++) {
		struct job *job = xcalloc(1, sizeof *job);

		job->image = image;
		job->position = i;
		job->lock_fd = -1;
		job->worker = (struct unpack_worker){ .socket = -1,
						      .out = { .fd = -1 },
						      .err = { .fd = -1 } };
		unpacker->jobs[unpacker->job_count++] = job;
	}
	return 0;
}

void unpacker_blob_done(struct unpacker *unpacker, const char *digest)
{
	for (size_t i = 0; i < unpacker->job_count; i++) {
		struct job *job = unpacker->jobs[i];

		if (job->state == JOB_WAITING && strcmp(layer_of(job)->blob, digest) == 0)
			job->state = JOB_READY;
	}
}

void unpacker_all_blobs(struct unpacker *unpacker)
{
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (unpacker->jobs[i]->state == JOB_WAITING)
			unpacker->jobs[i]->state = JOB_READY;
}

static size_t count_state(const struct unpacker *unpacker, enum job_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < unpacker->job_count; i++)
		count += unpacker->jobs[i]->state == state;
	return count;
}

/* ---- starting ---- */

/* The layer is there already, from before or by another process. 1, 0 or -1. */
static int look_up(const struct unpacker *unpacker, struct job *job, struct error *err)
{
	int found = layer_find(unpacker->store, layer_of(job), &job->id, err);

	if (found == 1)
		job->state = JOB_DONE;
	return found;
}

/* Open the job's blob and make what it is unpacked to. */
static int prepare(struct unpacker *unpacker, struct job *job, int *blob_fd,
		   struct unpack_target *target, struct error *err)
{
	const struct image_layer *layer = layer_of(job);

	*blob_fd = layout_open_blob(&unpacker->layout, layer->blob, err);
	if (*blob_fd < 0) {
		error_prefix(err, "image %s", image_label(job->image));
		return error_hint(err, "pull it again with skopeo-c copy");
	}
	if (backend_settle(unpacker->store, &unpacker->staging, &unpacker->backend, err) < 0)
		return -1;
	random_name(job->directory);
	if (mkdirat(unpacker->staging.fd, job->directory, 0700) < 0)
		return error_os(err, "cannot make a directory for layer %s", layer->diff_id);
	return unpack_target_make(unpacker->staging.fd, job->directory, unpacker->backend, target,
				  err) < 0
		       ? error_prefix(err, "layer %s", layer->diff_id)
		       : 0;
}

static int start_job(struct unpacker *unpacker, struct job *job, struct error *err)
{
	const struct image_layer *layer = layer_of(job);
	cleanup_unpack_target struct unpack_target target = { -1, -1 };
	cleanup_fd int blob_fd = -1;
	int found = look_up(unpacker, job, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	job->lock_fd = lock_take(unpacker->store->locks_fd, "layer", layer->diff_id, LOCK_EXCLUSIVE,
				 false, err);
	if (job->lock_fd < 0 && err->kind == ERROR_IN_USE) {
		unpacker->foreign = true; /* or one of ours: then its end wakes us anyway */
		return 0;
	}
	if (job->lock_fd < 0)
		return -1;
	found = look_up(unpacker, job, err);
	if (found != 0) {
		unlock_job(unpacker, job);
		return found < 0 ? -1 : 0;
	}
	if (prepare(unpacker, job, &blob_fd, &target, err) < 0)
		return -1;

	const struct unpack_task task = { .blob_fd = blob_fd,
					  .diff_fd = target.directory_fd,
					  .image_fd = target.image_fd,
					  .blob_digest = layer->blob,
					  .diff_id = layer->diff_id,
					  .user_namespace = user_namespace_marks(unpacker->store),
					  .one_user = user_namespace_has_one_user() };
	if (unpack_worker_start(&task, &job->worker, err) < 0)
		return -1;
	log_message(LOG_LEVEL_INFO, "unpacking layer %s", layer->diff_id);
	job->state = JOB_RUNNING;
	return 0;
}

/* ---- layers that lean ---- */

static bool lower_is_done(const struct job *const *jobs, const struct job *job)
{
	for (size_t i = 1; i <= job->position; i++)
		if (jobs[-(ptrdiff_t)i]->state != JOB_DONE)
			return false;
	return true;
}

static char *tree_path(const struct unpacker *unpacker, const struct job *job)
{
	const struct store *store = unpacker->store;

	if (job->directory[0])
		return xasprintf("%s/tmp/%s/%s/diff", store->root, unpacker->staging.name,
				 job->directory);
	cleanup_free char *tree = layer_tree(job->id);
	/* by the descriptor: an unpacker may write to other layers than the store's own */
	return tree[0] == '/' ? steal_ptr(&tree)
			      : xasprintf("/proc/self/fd/%d/%s", store->layers_fd, tree);
}

/* The layers beneath a job, merged: a mount that is attached nowhere. */
static int open_lower(const struct unpacker *unpacker, const struct job *const *jobs,
		      const struct job *job, struct error *err)
{
	cleanup_strings struct strings trees = { 0 };

	for (size_t i = job->position; i > 0; i--) {
		const struct job *lower = jobs[-(ptrdiff_t)i];
		bool again = false; /* higher up: overlayfs refuses a directory that it has */

		for (size_t above = i - 1; above > 0; above--)
			if (strcmp(jobs[-(ptrdiff_t)above]->id, lower->id) == 0)
				again = true;
		if (again)
			continue;
		cleanup_free char *path = tree_path(unpacker, lower);
		strings_add(&trees, path);
	}

	const struct overlay overlay = { .layers = &trees,
					 .source = "ocid:unpack",
					 .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	cleanup_fd int gate = staging_gate(unpacker->store, LOCK_SHARED, err);
	return gate < 0 ? -1 : overlay_open(unpacker->store, &overlay, err);
}

/* `at` points to the job in the list, so that those beneath it stand before. */
static int give_lower(const struct unpacker *unpacker, struct job *const *at, struct error *err)
{
	const struct job *const *jobs = (const struct job *const *)at;
	struct job *job = *at;
	cleanup_fd int lower_fd = -1;

	if (!lower_is_done(jobs, job))
		return 0;
	if (job->position > 0) {
		lower_fd = open_lower(unpacker, jobs, job, err);
		if (lower_fd < 0)
			return -1;
	}
	job->state = JOB_RUNNING;
	return unpack_worker_give_lower(&job->worker, lower_fd, err);
}

/* ---- ending ---- */

static int write_facts(const struct unpacker *unpacker, const struct job *job, json_t *report,
		       bool leans, struct error *err)
{
	const struct image_layer *layer = layer_of(job);
	json_auto_t *facts = json_pack(
		"{s:s, s:s*, s:s, s:s, s:O, s:O, s:O*}", "diffId", layer->diff_id, "chainId",
		leans ? layer->chain_id : NULL, "blob", layer->blob, "mediaType",
		json_text(layer->descriptor, "mediaType", ""), "size",
		json_object_get(report, "size"), "entries", json_object_get(report, "entries"),
		"root", json_object_get(report, "root"));
	cleanup_free char *text = json_compact(facts);
	cleanup_free char *path = xasprintf("%s/layer.json", job->directory);
	cleanup_fd int fd = openat(unpacker->staging.fd, path,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot write layer.json");
	return file_write_fd(fd, text, strlen(text), "layer.json", err);
}

static int end_job(struct unpacker *unpacker, struct job *job, json_t *report, struct error *err)
{
	const struct image_layer *layer = layer_of(job);
	int leans;
	json_int_t size, entries;

	unpack_worker_end(&job->worker);
	if (json_require(report, "the report of ctr-store-unpack", err, "{s:b, s:I, s:I}", "leans",
			 &leans, "size", &size, "entries", &entries) < 0 ||
	    write_facts(unpacker, job, report, leans, err) < 0)
		return -1;
	if (!unpacker->lose_writes)
		unpack_target_push(unpacker->staging.fd, job->directory, unpacker->backend);
	job->id = xstrdup(digest_hex(leans ? layer->chain_id : layer->diff_id));
	job->state = JOB_DONE;
	return 0;
}

/* Move a finished layer to its place, unless another process had the same idea first. */
static int place(struct unpacker *unpacker, struct job *job, struct error *err)
{
	if (renameat(unpacker->staging.fd, job->directory, unpacker->store->layers_fd, job->id) <
		    0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return error_os(err, "cannot put layer %s in its place", job->id);
	job->directory[0] = '\0';
	unlock_job(unpacker, job);
	return 0;
}

static bool is_finished(const struct job *job)
{
	return job->state == JOB_DONE && job->directory[0];
}

static int commit(struct unpacker *unpacker, struct error *err)
{
	cleanup_strings struct strings finished = { 0 };

	for (size_t i = 0; i < unpacker->job_count; i++)
		if (is_finished(unpacker->jobs[i]))
			strings_add(&finished, unpacker->jobs[i]->directory);
	if (finished.count == 0)
		return 0;
	if (!unpacker->lose_writes &&
	    unpack_target_sync(unpacker->staging.fd, &finished, unpacker->backend, err) < 0)
		return error_prefix(err, "cannot write the layers to disk");
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (is_finished(unpacker->jobs[i]) && place(unpacker, unpacker->jobs[i], err) < 0)
			return -1;
	return unpacker->lose_writes ? 0 : file_sync_dir(unpacker->store->layers_fd, "layers", err);
}

/* ---- the loop ---- */

static int hear(struct unpacker *unpacker, struct job *job, struct error *err)
{
	json_auto_t *report = NULL;
	enum worker_news news;

	if (unpack_worker_read(&job->worker, &news, &report, err) < 0)
		return error_prefix(err, "layer %s of image %s", layer_of(job)->diff_id,
				    image_label(job->image));
	if (news == WORKER_NEEDS_LOWER) {
		job->state = JOB_NEEDS_LOWER;
		/* what it becomes depends on this image, so nobody else waits for it */
		unlock_job(unpacker, job);
	}
	return news == WORKER_DONE ? end_job(unpacker, job, report, err) : 0;
}

/* A worker that waits for lower layers holds memory: few of them, but never none for the lowest
 * layer that is left, which all others may wait for. */
static bool may_start(const struct unpacker *unpacker, const struct job *const *at)
{
	if (count_state(unpacker, JOB_RUNNING) >= unpacker->limit)
		return false;
	return count_state(unpacker, JOB_NEEDS_LOWER) < NEEDS_LOWER_MAX || lower_is_done(at, *at);
}

/* Start and feed what can be, lowest layers first; commit when nothing runs. */
static int advance(struct unpacker *unpacker, struct error *err)
{
	unpacker->foreign = false;
	for (size_t i = 0; i < unpacker->job_count; i++) {
		struct job **at = &unpacker->jobs[i];

		if ((*at)->state == JOB_NEEDS_LOWER && give_lower(unpacker, at, err) < 0)
			return -1;
		if ((*at)->state == JOB_READY &&
		    may_start(unpacker, (const struct job *const *)at) &&
		    start_job(unpacker, *at, err) < 0)
			return -1;
	}
	return count_state(unpacker, JOB_RUNNING) == 0 ? commit(unpacker, err) : 0;
}

static bool is_complete(const struct unpacker *unpacker)
{
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (unpacker->jobs[i]->state != JOB_DONE || unpacker->jobs[i]->directory[0])
			return false;
	return true;
}

/* poll() for the workers and the input; skips descriptors that are negative. */
static int wait_for_news(struct unpacker *unpacker, int input_fd, bool *input_ready,
			 struct error *err)
{
	size_t count = unpacker->job_count;
	cleanup_free struct pollfd *polls = xcalloc(2 * count + 1, sizeof *polls);

	for (size_t i = 0; i < count; i++) {
		const struct unpack_worker *worker = &unpacker->jobs[i]->worker;

		polls[2 * i] = (struct pollfd){ worker->out.fd, POLLIN, 0 };
		polls[2 * i + 1] = (struct pollfd){ worker->err.fd, POLLIN, 0 };
	}
	polls[2 * count] = (struct pollfd){ input_fd, POLLIN, 0 };
	if (poll(polls, 2 * count + 1, unpacker->foreign ? FOREIGN_POLL_MS : SIGNAL_POLL_MS) < 0 &&
	    errno != EINTR)
		return error_os(err, "poll");
	if (cli_interrupted())
		return error_set(err, ERROR_TEMPORARY, "interrupted");
	for (size_t i = 0; i < count; i++)
		if ((polls[2 * i].revents || polls[2 * i + 1].revents) &&
		    hear(unpacker, unpacker->jobs[i], err) < 0)
			return -1;
	*input_ready = polls[2 * count].revents != 0;
	return 0;
}

int unpacker_step(struct unpacker *unpacker, int input_fd, bool *input_ready, struct error *err)
{
	*input_ready = false;
	if (advance(unpacker, err) < 0)
		return -1;
	if (input_fd < 0 && is_complete(unpacker))
		return 0;
	return wait_for_news(unpacker, input_fd, input_ready, err);
}

int unpacker_finish(struct unpacker *unpacker, struct error *err)
{
	bool ignored;

	while (!is_complete(unpacker))
		if (unpacker_step(unpacker, -1, &ignored, err) < 0)
			return -1;
	return 0;
}
