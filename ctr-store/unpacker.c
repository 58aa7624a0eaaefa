/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpacker.h"

#include "ctr-store/unpack_job.h"
#include "ctr-store/unpack_lower.h"
#include "ctr-store/unpack_target.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/processors.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { FOREIGN_POLL_MS = 20, NEEDS_LOWER_MAX = 8 };

struct unpacker {
	struct unpack_site site;
	json_t *references;	  /* digests of all that is used */
	bool references_grew;	  /* since others were told */
	struct unpack_job **jobs; /* image after image, lowest layer first */
	size_t job_count, limit;
	size_t in_state[JOB_STATES]; /* how many jobs */
	bool foreign;		     /* a layer is being unpacked by another process */
};

/* ---- life ---- */

struct unpacker *unpacker_new(const struct store *store, struct error *err)
{
	cleanup_unpacker struct unpacker *unpacker = xcalloc(1, sizeof *unpacker);

	unpacker->site = (struct unpack_site){ .store = store,
					       .layout = { .fd = -1 },
					       .staging = { .fd = -1, .lock_fd = -1 } };
	unpacker->references = json_array();
	unpacker->limit = processors_usable();
	if (backend_choose(store, NULL, &unpacker->site.backend, err) < 0 ||
	    image_layout(store, &unpacker->site.layout, err) < 0 ||
	    staging_open(store, &unpacker->site.staging, err) < 0)
		return NULL;
	unpack_target_spread(unpacker->site.staging.fd);
	return steal_ptr(&unpacker);
}

void unpacker_free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	for (size_t i = 0; i < unpacker->job_count; i++)
		unpack_job_free(&unpacker->site, unpacker->jobs[i]);
	free(unpacker->jobs);
	staging_close(&unpacker->site.staging);
	layout_close(&unpacker->site.layout);
	json_decref(unpacker->references);
	free(unpacker);
}

void unpacker_prepare(struct unpacker *unpacker)
{
	struct error ignored; /* what goes wrong goes wrong again when it matters */

	(void)backend_settle(unpacker->site.store, &unpacker->site.staging, &unpacker->site.backend,
			     &ignored);
}

void unpacker_imitate(struct unpacker *unpacker, const struct store *model)
{
	unpacker->site.model = model;
	unpacker->site.lose_writes = true;
}

void unpacker_set_backend(struct unpacker *unpacker, enum backend backend)
{
	unpacker->site.backend = backend;
}

void unpacker_add_image(struct unpacker *unpacker, const struct image *image)
{
	json_auto_t *references = image_references(image);

	json_array_extend(unpacker->references, references);
	unpacker->references_grew = true;
	unpacker->jobs = xreallocarray(unpacker->jobs, unpacker->job_count + image->layer_count,
				       sizeof(struct unpack_job *));
	for (size_t i = 0; i < image->layer_count; i++)
		unpacker->jobs[unpacker->job_count++] = unpack_job_new(image, i);
}

void unpacker_blob_arrives(struct unpacker *unpacker, const char *digest)
{
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (strcmp(unpack_job_layer(unpacker->jobs[i])->blob, digest) == 0)
			unpack_job_blob_arrives(unpacker->jobs[i]);
}

void unpacker_blob_done(struct unpacker *unpacker, const char *digest)
{
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (strcmp(unpack_job_layer(unpacker->jobs[i])->blob, digest) == 0)
			unpack_job_blob_is_here(&unpacker->site, unpacker->jobs[i]);
}

void unpacker_all_blobs(struct unpacker *unpacker)
{
	for (size_t i = 0; i < unpacker->job_count; i++)
		unpack_job_blob_is_here(&unpacker->site, unpacker->jobs[i]);
}

/* ---- layers that lean ---- */

static int give_lower(struct unpacker *unpacker, struct unpack_job *const *at, struct error *err)
{
	struct unpack_job *job = *at;
	cleanup_fd int lower_fd = -1;

	if (!unpack_lower_is_done(at))
		return 0;
	if (job->position > 0) {
		lower_fd = unpack_lower_open(&unpacker->site, at, err);
		if (lower_fd < 0)
			return -1;
	}
	job->state = JOB_RUNNING;
	return unpack_worker_give_lower(&job->worker, lower_fd, err);
}

/* ---- ending ---- */

static int commit(struct unpacker *unpacker, struct error *err)
{
	cleanup_strings struct strings finished = { 0 };

	for (size_t i = 0; i < unpacker->job_count; i++)
		if (unpack_job_is_finished(unpacker->jobs[i]))
			strings_add(&finished, unpacker->jobs[i]->directory);
	if (finished.count == 0)
		return 0;
	if (!unpacker->site.lose_writes && unpack_target_sync(unpacker->site.staging.fd, &finished,
							      unpacker->site.backend, err) < 0)
		return error_prefix(err, "cannot write the layers to disk");
	for (size_t i = 0; i < unpacker->job_count; i++)
		if (unpack_job_is_finished(unpacker->jobs[i]) &&
		    unpack_job_place(&unpacker->site, unpacker->jobs[i], err) < 0)
			return -1;
	return unpacker->site.lose_writes
		       ? 0
		       : file_sync_dir(unpacker->site.store->layers_fd, "layers", err);
}

/* Of images that are done no layer asks for those beneath it any more. */
static void forget_lower(const struct unpacker *unpacker)
{
	for (size_t i = 0, count; i < unpacker->job_count; i += count) {
		struct unpack_job *const *jobs = &unpacker->jobs[i];

		count = (*jobs)->image->layer_count;
		if (unpack_lower_is_done(jobs + count - 1) && jobs[count - 1]->state == JOB_DONE)
			(void)unpack_lower_forget(jobs, count);
	}
}

/* ---- the loop ---- */

static int hear(struct unpacker *unpacker, struct unpack_job *job, struct error *err)
{
	if (unpack_job_hear(&unpacker->site, job, err) < 0)
		return -1;
	if (unpack_job_is_finished(job) && !unpacker->site.lose_writes)
		unpack_target_push(unpacker->site.staging.fd, job->directory,
				   unpacker->site.backend);
	return 0;
}

/* A worker that waits for lower layers holds memory: few of them, but never none for the lowest
 * layer that is left, which all others may wait for. */
static bool may_start(const struct unpacker *unpacker, struct unpack_job *const *at)
{
	if (unpacker->in_state[JOB_RUNNING] >= unpacker->limit)
		return false;
	return unpacker->in_state[JOB_NEEDS_LOWER] < NEEDS_LOWER_MAX || unpack_lower_is_done(at);
}

/* They run beside those whose blobs are here, and do not keep them from being started. */
static bool may_follow(const struct unpacker *unpacker)
{
	return unpacker->in_state[JOB_FOLLOWING] < unpacker->limit &&
	       unpacker->in_state[JOB_NEEDS_LOWER] < NEEDS_LOWER_MAX;
}

static int start(struct unpacker *unpacker, struct unpack_job *job, struct error *err)
{
	if (unpack_job_start(&unpacker->site, job, err) < 0)
		return -1;
	if (job->state == JOB_READY)
		unpacker->foreign = true; /* or one of ours: then its end wakes us anyway */
	return 0;
}

/* A few images are waited for by themselves, while workers write the others; of all else the file
 * system is waited for, once. */
static bool may_commit(const struct unpacker *unpacker)
{
	return unpacker->in_state[JOB_RUNNING] == 0 || (unpacker->site.backend == BACKEND_EROFS &&
							unpacker->job_count <= UNPACK_TARGET_FEW);
}

static int advance_job(struct unpacker *unpacker, struct unpack_job *const *at, struct error *err)
{
	switch ((*at)->state) {
	case JOB_NEEDS_LOWER:
		return give_lower(unpacker, at, err);
	case JOB_ARRIVING:
		return may_follow(unpacker) ? unpack_job_follow(&unpacker->site, *at, err) : 0;
	case JOB_READY:
		return may_start(unpacker, at) ? start(unpacker, *at, err) : 0;
	default:
		return 0;
	}
}

/* What is going to be used is said before it is looked for. */
static int refer(struct unpacker *unpacker, struct error *err)
{
	if (!unpacker->references_grew)
		return 0;
	unpacker->references_grew = false;
	return staging_refer(&unpacker->site.staging, unpacker->references, err);
}

/* Start and feed what can be, lowest layers first. */
static int advance(struct unpacker *unpacker, struct error *err)
{
	if (refer(unpacker, err) < 0)
		return -1;
	unpacker->foreign = false;
	memset(unpacker->in_state, 0, sizeof unpacker->in_state);
	for (size_t i = 0; i < unpacker->job_count; i++)
		unpacker->in_state[unpacker->jobs[i]->state]++;
	for (size_t i = 0; i < unpacker->job_count; i++) {
		const struct unpack_job *job = unpacker->jobs[i];
		enum job_state before = job->state;

		if (advance_job(unpacker, &unpacker->jobs[i], err) < 0)
			return -1;
		unpacker->in_state[before]--;
		unpacker->in_state[job->state]++;
	}
	forget_lower(unpacker);
	return may_commit(unpacker) ? commit(unpacker, err) : 0;
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
	size_t count = 0;
	cleanup_free struct unpack_job **jobs =
		xcalloc(unpacker->job_count, sizeof(struct unpack_job *));
	cleanup_free struct pollfd *polls = xcalloc(2 * unpacker->job_count + 1, sizeof *polls);

	/* of thousands of layers only those: poll() takes no more than may be open */
	for (size_t i = 0; i < unpacker->job_count; i++) {
		const struct unpack_worker *worker = &unpacker->jobs[i]->worker;

		if (worker->pid == 0)
			continue;
		polls[2 * count] = (struct pollfd){ worker->out.fd, POLLIN, 0 };
		polls[2 * count + 1] = (struct pollfd){ worker->err.fd, POLLIN, 0 };
		jobs[count++] = unpacker->jobs[i];
	}
	polls[2 * count] = (struct pollfd){ input_fd, POLLIN, 0 };
	if (cli_poll(polls, 2 * count + 1, unpacker->foreign ? FOREIGN_POLL_MS : -1) < 0 &&
	    errno != EINTR)
		return error_os(err, "poll");
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	for (size_t i = 0; i < count; i++)
		if ((polls[2 * i].revents || polls[2 * i + 1].revents) &&
		    hear(unpacker, jobs[i], err) < 0)
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
