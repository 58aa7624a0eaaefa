/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/transfer.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "skopeo-c/claim.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/elsewhere.h"
#include "skopeo-c/flow.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLAIM_MS = 20, PROGRESS_MS = 500, THREAD_MIN = 1 << 20 /* bytes */ };

/* One blob on its way. */
struct job {
	struct transfer *transfer;
	const struct blob *blob;
	enum { JOB_WAITING, JOB_ASKING, JOB_MOVING, JOB_BROKEN, JOB_SETTLING, JOB_DONE } step;
	struct flow flow;
	struct elsewhere elsewhere;
	bool is_claimed, upload_is_started;
	bool in_one_piece;	      /* its parts did not fit together */
	const struct registry *asked; /* who has answered last; or NULL */
	int attempts;
	int64_t not_before_ms, told_at_ms;
};

/* Leave the blob to another process that is moving it. */
static bool claim(struct job *job)
{
	int claims_fd = job->transfer->claims_fd;

	if (claims_fd > 0 && !job->is_claimed)
		job->is_claimed = claim_try(claims_fd, job->blob->digest);
	return claims_fd <= 0 || job->is_claimed;
}

static void let_go(struct job *job)
{
	flow_close(&job->flow);
	elsewhere_close(&job->elsewhere);
	if (job->is_claimed)
		claim_release(job->transfer->claims_fd, job->blob->digest);
	job->is_claimed = job->upload_is_started = false;
}

static bool is_held(const struct job *job)
{
	const char *held = job->transfer->held_digest;

	return held && strcmp(held, job->blob->digest) == 0;
}

static bool waits_for_held(const struct job *job)
{
	return is_held(job) && job->transfer->held_fd < 0;
}

static int tell(struct job *job, enum blob_state state, struct error *err)
{
	if (is_held(job))
		return 0;
	job->told_at_ms = clock_ms();
	return progress_blob(job->transfer->progress, job->blob, state,
			     state == BLOB_DONE || state == BLOB_PRESENT ? job->blob->size
									 : job->flow.received,
			     err);
}

static int tell_sometimes(struct job *job, struct error *err)
{
	if (clock_ms() - job->told_at_ms < PROGRESS_MS)
		return 0;
	return tell(job, BLOB_MOVING, err);
}

static int finish(struct job *job, enum blob_state state, struct error *err)
{
	struct transport *to = job->transfer->to;

	if (state == BLOB_DONE && to->class->commit_blob(to, job->blob, &job->flow.sink, err) < 0)
		return flow_refused(&job->flow, err);
	json_object_set_new(job->transfer->in_place, job->blob->digest, json_true());
	let_go(job);
	job->step = JOB_DONE;
	return tell(job, state, err);
}

/* The disk has the file. */
static int settled(struct job *job, struct error *err)
{
	struct flow *flow = &job->flow;

	if (settling_end(flow->settling, &flow->settled, job->transfer->to->name, err) < 0)
		return -1;
	flow->sink.is_on_disk = true;
	return finish(job, BLOB_DONE, err);
}

/* What comes from a registry goes on coming while the disk has to be waited for. */
static int settle(struct job *job, struct error *err)
{
	struct flow *flow = &job->flow;

	if (!flow->settling)
		return finish(job, BLOB_DONE, err);
	flow_settle(flow);
	if (!job->transfer->http)
		return settled(job, err);
	job->step = JOB_SETTLING;
	return 0;
}

static int poll_settling(struct job *job, struct error *err)
{
	const struct flow *flow = &job->flow;

	return settling_is_done(flow->settling, &flow->settled) ? settled(job, err) : 0;
}

static int tell_context(void *context, struct error *err)
{
	return tell_sometimes(context, err);
}

/* The registry that the blobs are in; NULL where they are in none. */
static struct registry *source_registry(const struct transfer *transfer)
{
	const struct transport *from = transfer->from;

	from = from->beneath ? from->beneath : from;
	return transport_is_docker(from) ? docker_registry(from) : NULL;
}

static int open_source(struct job *job, struct error *err)
{
	const struct transfer *transfer = job->transfer;
	struct blob_source *source = &job->flow.source;

	if (job->elsewhere.number > 0) {
		elsewhere_ask(&job->elsewhere, job->blob, transfer->http, source_registry(transfer),
			      &source->call);
		return 0;
	}
	if (!is_held(job))
		return transfer->from->class->open_blob(transfer->from, job->blob, source, err);
	source->fd = fcntl(transfer->held_fd, F_DUPFD_CLOEXEC, 0);
	if (source->fd < 0 || lseek(source->fd, 0, SEEK_SET) < 0)
		return error_os(err, "%s", transfer->from->name);
	return 0;
}

/* Where there can be no thread it is done here. */
static struct hashing *hashing_for(struct transfer *transfer, const struct blob *blob)
{
	if (!transfer->hashing && (blob->size < 0 || blob->size >= THREAD_MIN))
		transfer->hashing = hashing_new(transfer->parallel);
	return transfer->hashing;
}

static void wake(void *http)
{
	http_wake(http);
}

/* For what stays in a directory. Where there can be no thread commit_blob asks the disk. */
static struct settling *settling_for(struct transfer *transfer, const struct blob_sink *sink)
{
	struct http *http = transfer->http;

	if (sink->fd < 0 || sink->dir_fd < 0)
		return NULL;
	if (!transfer->settling)
		transfer->settling = settling_new(transfer->parallel, http ? wake : NULL, http);
	return transfer->settling;
}

/* The end of an upload says that all bytes are right: where nothing else is left of it, they come
 * first. */
static void start_upload(struct job *job)
{
	const struct flow *flow = &job->flow;
	bool is_end = flow->sink.offset > 0 && flow->sink.offset == flow->blob->size;

	if (job->upload_is_started || (is_end && !flow->verified))
		return;
	registry_call_start(&job->flow.sink.call);
	job->upload_is_started = true;
}

static int start_moving(struct job *job, struct error *err)
{
	struct flow *flow = &job->flow;

	job->step = JOB_MOVING;
	if (open_source(job, err) < 0)
		return -1;
	bool downloads = blob_source_is_call(&flow->source);
	bool uploads = blob_sink_is_call(&flow->sink);
	/* what takes the bytes of a download has threads of its own, and needs the memory */
	if (!uploads && !(downloads && flow->sink.take))
		flow->hashing = hashing_for(job->transfer, job->blob);
	flow->settling = uploads ? NULL : settling_for(job->transfer, &flow->sink);
	if (flow_begin(flow, err) < 0)
		return -1;
	if (downloads && !uploads && flow_take_up(flow, err) < 0)
		return -1;
	/* now that the file has its name: who hears of it may read what comes */
	if (tell(job, BLOB_STARTED, err) < 0)
		return -1;
	if (!downloads && !uploads && flow_run(flow, tell_context, job, err) < 0)
		return -1;
	if (flow->verified && !uploads)
		return settle(job, err);
	if (downloads)
		registry_call_start(&flow->source.call);
	if (uploads)
		start_upload(job);
	return 0;
}

/* The download is answered; 1 when it is complete and right. */
static int poll_download(struct job *job, struct error *err)
{
	struct registry_call *call = &job->flow.source.call;
	int status = registry_call_poll(call, err);

	if (status <= 0)
		return status;
	if (call->request.status != 200 &&
	    !(job->flow.is_continued && call->request.status == 206)) {
		cleanup_free char *what = xasprintf("blob %s", job->blob->digest);

		return registry_refused(call, what, err);
	}
	return flow_verify(&job->flow, err) < 0 ? -1 : 1;
}

/* True when the job may go on after a time; it was not tried often enough yet. */
static bool wait_for_more(struct job *job, const struct registry *registry, const struct error *err)
{
	if (job->attempts >= registry->retries || cli_interrupted())
		return false;
	job->attempts++;
	job->not_before_ms = clock_ms() + registry_backoff_ms(registry, job->attempts);
	log_message(LOG_LEVEL_INFO, "%s; trying again", err->message);
	return true;
}

/* The download has ended early: keep what is here and ask for the rest later. */
static bool will_continue(struct job *job, const struct error *err)
{
	if (err->kind != ERROR_TEMPORARY || job->in_one_piece || !flow_can_continue(&job->flow) ||
	    !wait_for_more(job, job->asked, err))
		return false;
	job->step = JOB_BROKEN;
	return true;
}

static int move(struct job *job, struct error *err)
{
	struct transport *to = job->transfer->to;
	struct flow *flow = &job->flow;
	bool downloads = blob_source_is_call(&flow->source);
	bool uploads = blob_sink_is_call(&flow->sink);
	int status = 0;

	if (flow->failed) {
		*err = flow->failure;
		return -1;
	}
	if (downloads && !flow->verified) {
		job->asked = flow->source.call.registry;
		status = poll_download(job, err);
		if (status < 0 && will_continue(job, err))
			return 0;
	}
	if (status == 1 && !uploads)
		return settle(job, err);
	if (status >= 0 && uploads) {
		job->asked = flow->sink.call.registry;
		start_upload(job);
		status = job->upload_is_started
				 ? to->class->poll_upload(to, job->blob, &flow->sink, err)
				 : 0;
	}
	if (status < 0)
		return flow_refused(flow, err);
	if (status == 1 && uploads) {
		/* an empty blob never asks for a piece */
		if (!flow->verified && flow->sink.call.request.status / 100 == 2 &&
		    flow_verify(flow, err) < 0)
			return -1;
		return finish(job, BLOB_DONE, err);
	}
	flow_resume(flow);
	return tell_sometimes(job, err);
}

static int advance(struct job *job, struct error *err)
{
	struct transport *to = job->transfer->to;

	switch (job->step) {
	case JOB_WAITING:
		if (clock_ms() < job->not_before_ms || waits_for_held(job) || !claim(job))
			return 0;
		job->step = JOB_ASKING;
		if (to->class->offer_blob(to, job->blob, &job->flow.sink, err) < 0)
			return -1;
		break;
	case JOB_ASKING:
		if (job->flow.sink.state == SINK_ASKING &&
		    to->class->poll_sink(to, job->blob, &job->flow.sink, err) < 0)
			return -1;
		break;
	case JOB_MOVING:
		return move(job, err);
	case JOB_BROKEN:
		flow_resume(&job->flow);
		if (clock_ms() < job->not_before_ms)
			return 0;
		flow_continue(&job->flow);
		job->step = JOB_MOVING;
		return 0;
	case JOB_SETTLING:
		return poll_settling(job, err);
	case JOB_DONE:
		return 0;
	}
	if (job->flow.sink.state == SINK_PRESENT)
		return finish(job, BLOB_PRESENT, err);
	return job->flow.sink.state == SINK_WANTED ? start_moving(job, err) : 0;
}

/* What was put together of several answers is no good: one of them may have been wrong. */
static bool parts_are_wrong(const struct job *job, const struct error *err)
{
	const struct flow *flow = &job->flow;

	return flow->is_continued &&
	       (err->kind == ERROR_INTEGRITY || flow->source.call.request.status == 416);
}

/* Whose fault it can be; NULL where no registry takes part. */
static const struct registry *registry_at_fault(const struct job *job)
{
	struct transport *to = job->transfer->to;
	const struct registry *source = source_registry(job->transfer);

	if (job->asked)
		return job->asked;
	return source ? source : transport_is_docker(to) ? docker_registry(to) : NULL;
}

static void begin_again(struct job *job)
{
	let_go(job);
	job->step = JOB_WAITING;
	job->asked = NULL;
}

/* Begin again after what may pass. False when it must not, or was tried often enough. */
static bool will_try_again(struct job *job, const struct error *err)
{
	const struct registry *registry = registry_at_fault(job);
	bool wrong_parts = parts_are_wrong(job, err);

	if (wrong_parts || err->kind == ERROR_INTEGRITY)
		job->flow.sink.is_partial = false;
	if (!registry || (err->kind != ERROR_TEMPORARY && !wrong_parts) || err->os == EPIPE)
		return false;
	/* what an earlier process has left is no try of ours */
	bool is_free = job->flow.sink.knows_other_way || (wrong_parts && job->flow.is_taken_up);
	if (!is_free && !wait_for_more(job, registry, err))
		return false;
	job->in_one_piece = job->in_one_piece || (wrong_parts && !job->flow.is_taken_up);
	begin_again(job);
	return true;
}

/* What the source does not have, or one of the other places does not give, the next one may. Of
 * what fails here, a full disk, no other place is better. */
static bool will_go_elsewhere(struct job *job, const struct error *err)
{
	bool is_missing = job->elsewhere.number > 0 ? !err->os : err->kind == ERROR_NOT_FOUND;

	if (!is_missing || !job->transfer->http || cli_interrupted() ||
	    !elsewhere_next(&job->elsewhere, job->blob))
		return false;
	log_message(LOG_LEVEL_INFO, "%s; trying elsewhere", err->message);
	begin_again(job);
	job->attempts = 0;
	return true;
}

/* ---- all jobs ---- */

static void job_begin(struct job *job, struct transfer *transfer, const struct blob *blob)
{
	*job = (struct job){ .transfer = transfer, .blob = blob, .step = JOB_WAITING };
	job->flow = (struct flow){ .blob = blob,
				   .from = transfer->from->name,
				   .to = transfer->to->name,
				   .source = BLOB_SOURCE_NONE,
				   .sink = BLOB_SINK_NONE };
}

/* The next blob that is not in place and not on its way; NULL at the end. */
static const struct blob *next_blob(const struct transfer *transfer, const struct blob *blobs,
				    size_t count, size_t *next, const struct job *jobs)
{
	while (*next < count) {
		const struct blob *blob = &blobs[(*next)++];
		bool seen = json_object_get(transfer->in_place, blob->digest);

		for (size_t i = 0; i < transfer->parallel && !seen; i++)
			seen = jobs[i].step != JOB_DONE &&
			       strcmp(jobs[i].blob->digest, blob->digest) == 0;
		if (!seen)
			return blob;
	}
	return NULL;
}

static int advance_or_begin_again(struct job *job, struct error *err)
{
	return advance(job, err) < 0 && !will_try_again(job, err) && !will_go_elsewhere(job, err)
		       ? -1
		       : 0;
}

static int poll_held(struct transfer *transfer, struct error *err)
{
	return transfer->held_digest && transfer->held_fd < 0
		       ? transfer->poll_held(transfer->held_context, &transfer->held_fd, err)
		       : 0;
}

/* Move every job one step on and put new ones in the place of those that are done: at once, as
 * nothing might come that ends the wait before. Returns how many are left, or -1. */
static int advance_all(struct transfer *transfer, struct job *jobs, const struct blob *blobs,
		       size_t count, size_t *next, struct error *err)
{
	int left = 0;

	if (poll_held(transfer, err) < 0)
		return -1;
	for (size_t i = 0; i < transfer->parallel; i++) {
		struct job *job = &jobs[i];
		const struct blob *blob;

		if (job->step != JOB_DONE && advance_or_begin_again(job, err) < 0)
			return -1;
		while (job->step == JOB_DONE &&
		       (blob = next_blob(transfer, blobs, count, next, jobs))) {
			job_begin(job, transfer, blob);
			if (advance_or_begin_again(job, err) < 0)
				return -1;
		}
		left += job->step != JOB_DONE;
	}
	return left + (*next < count);
}

int transfer_blobs(struct transfer *transfer, const struct blob *blobs, size_t count,
		   struct error *err)
{
	size_t parallel = transfer->parallel ? transfer->parallel : TRANSFER_PARALLEL;
	struct job *jobs = xcalloc(parallel, sizeof *jobs);
	size_t next = 0;
	int left;

	transfer->parallel = parallel;
	for (size_t i = 0; i < parallel; i++) {
		job_begin(&jobs[i], transfer, NULL);
		jobs[i].step = JOB_DONE;
	}
	while ((left = advance_all(transfer, jobs, blobs, count, &next, err)) > 0)
		if (transfer->http &&
		    http_pump(transfer->http, transfer->claims_fd > 0 ? CLAIM_MS : HTTP_POLL_MS,
			      err) < 0) {
			left = -1;
			break;
		}
	for (size_t i = 0; i < parallel; i++) {
		/* a full disk is not to stay full of what cannot be used */
		if (left < 0 && err->kind != ERROR_TEMPORARY && !cli_interrupted())
			jobs[i].flow.sink.is_partial = false;
		let_go(&jobs[i]);
	}
	free(jobs);
	hashing_free(transfer->hashing);
	transfer->hashing = NULL;
	settling_free(transfer->settling);
	transfer->settling = NULL;
	return left;
}
