/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/transfer.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PARALLEL = 6,
	RING_SIZE = 1 << 20, /* bytes between a download and the upload that it feeds */
	LOCAL_PIECE = 256 << 10,
	WRITEBACK_STEP = 8 << 20,
	POLL_MS = 200,
	PROGRESS_MS = 500
};

/* One blob on its way. */
struct job {
	struct transfer *transfer;
	const struct blob *blob;
	enum { JOB_WAITING, JOB_ASKING, JOB_MOVING, JOB_DONE } step;
	struct blob_source source;
	struct blob_sink sink;
	struct hasher hasher;
	json_int_t received, given; /* bytes taken from the source, given to an upload */
	bool verified;		    /* all bytes were there and the digest is right */
	bool failed;		    /* a callback has ended it with `failure` */
	struct error failure;
	int attempts;
	int64_t not_before_ms, told_at_ms;
	char *ring; /* registry to registry only */
	size_t ring_start, ring_used;
	bool download_paused, upload_paused;
};

/* ---- checking ---- */

static int wrong(const struct job *job, struct error *err, const char *why)
{
	return error_set(err, ERROR_INTEGRITY, "%s: blob %s %s", job->transfer->from->name,
			 job->blob->digest, why);
}

/* All bytes have passed the hasher: are they the blob? */
static int verify(struct job *job, struct error *err)
{
	char actual[DIGEST_SIZE];

	if (job->received != job->blob->size)
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s has %lld bytes, expected %lld",
				 job->transfer->from->name, job->blob->digest,
				 (long long)job->received, (long long)job->blob->size);
	hasher_finish(&job->hasher, actual);
	if (strcmp(actual, job->blob->digest) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s has the digest %s",
				 job->transfer->from->name, job->blob->digest, actual);
	job->verified = true;
	return 0;
}

static ssize_t stop(struct job *job)
{
	job->failed = true;
	return HTTP_ABORT;
}

/* ---- the callbacks ---- */

static void ring_put(struct job *job, const char *data, size_t length)
{
	while (length > 0) {
		size_t at = (job->ring_start + job->ring_used) % RING_SIZE;
		size_t part = RING_SIZE - at;

		if (part > length)
			part = length;
		memcpy(job->ring + at, data, part);
		job->ring_used += part;
		data += part;
		length -= part;
	}
}

/* The size that a registry announces: what cannot be right need not be fetched. */
static bool announced_size_is_wrong(const struct job *job)
{
	const char *length = job->source.fd < 0
				     ? http_header(&job->source.call.request, "content-length", 0)
				     : NULL;

	return length && strtoll(length, NULL, 10) != job->blob->size;
}

/* Let the disk begin early: the fsync at the end, which stops everything, is short then. */
static void start_writeback(const struct job *job, size_t length)
{
	json_int_t before = job->received - (json_int_t)length;

	if (before / WRITEBACK_STEP != job->received / WRITEBACK_STEP)
		sync_file_range(job->sink.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Take a piece of the blob from its source. */
static ssize_t receive(void *context, const char *data, size_t length)
{
	struct job *job = context;

	if (job->ring && RING_SIZE - job->ring_used < length) {
		job->download_paused = true;
		return HTTP_PAUSE;
	}
	if ((json_int_t)length > job->blob->size - job->received ||
	    (job->received == 0 && announced_size_is_wrong(job))) {
		wrong(job, &job->failure, "does not have the size that its descriptor says");
		return stop(job);
	}
	hasher_update(&job->hasher, data, length);
	job->received += (json_int_t)length;
	if (job->ring) {
		ring_put(job, data, length);
		return (ssize_t)length;
	}
	if (file_write_fd(job->sink.fd, data, length, job->transfer->to->name, &job->failure) < 0)
		return stop(job);
	start_writeback(job, length);
	return (ssize_t)length;
}

/* Give the upload a piece from a file. The last one only when the digest is right. */
static ssize_t give_from_file(void *context, char *buffer, size_t size)
{
	struct job *job = context;
	ssize_t got;

	if (job->verified)
		return 0;
	do
		got = read(job->source.fd, buffer, size);
	while (got < 0 && errno == EINTR && !cli_interrupted());
	if (got < 0) {
		error_os(&job->failure, "%s", job->transfer->from->name);
		return stop(job);
	}
	hasher_update(&job->hasher, buffer, (size_t)got);
	job->received += got;
	job->given += got;
	if ((job->received == job->blob->size || got == 0) && verify(job, &job->failure) < 0)
		return stop(job);
	return got;
}

/* How much of the ring the upload may have: its last byte is held back until the digest of all is
 * known to be right, so that a registry never sees a whole blob that is wrong. */
static size_t ring_available(const struct job *job)
{
	json_int_t limit = job->blob->size - job->given - (job->verified ? 0 : 1);

	if (limit <= 0)
		return 0;
	return (json_int_t)job->ring_used < limit ? job->ring_used : (size_t)limit;
}

static ssize_t give_from_ring(void *context, char *buffer, size_t size)
{
	struct job *job = context;
	size_t available = ring_available(job);
	size_t part = RING_SIZE - job->ring_start;

	if (available == 0 && job->given < job->blob->size) {
		job->upload_paused = true;
		return HTTP_PAUSE;
	}
	part = part < available ? part : available;
	part = part < size ? part : size;
	memcpy(buffer, job->ring + job->ring_start, part);
	job->ring_start = (job->ring_start + part) % RING_SIZE;
	job->ring_used -= part;
	job->given += (json_int_t)part;
	return (ssize_t)part;
}

static void resume(struct job *job)
{
	if (job->download_paused && RING_SIZE - job->ring_used >= RING_SIZE / 2) {
		job->download_paused = false;
		http_resume(&job->source.call.request);
	}
	if (job->upload_paused && ring_available(job) > 0) {
		job->upload_paused = false;
		http_resume(&job->sink.call.request);
	}
}

/* ---- one job ---- */

static void job_close(struct job *job)
{
	blob_source_close(&job->source);
	blob_sink_close(&job->sink);
	hasher_free(&job->hasher);
	free(job->ring);
	job->ring = NULL;
	job->ring_start = job->ring_used = 0;
	job->received = job->given = 0;
	job->verified = job->failed = job->download_paused = job->upload_paused = false;
}

static int tell(struct job *job, enum blob_state state, struct error *err)
{
	job->told_at_ms = registry_now_ms();
	return progress_blob(
		job->transfer->progress, job->blob, state,
		state == BLOB_DONE || state == BLOB_PRESENT ? job->blob->size : job->received, err);
}

static int tell_sometimes(struct job *job, struct error *err)
{
	if (registry_now_ms() - job->told_at_ms < PROGRESS_MS)
		return 0;
	return tell(job, BLOB_MOVING, err);
}

static int finish(struct job *job, enum blob_state state, struct error *err)
{
	if (state == BLOB_DONE && job->transfer->to->class->commit_blob(
					  job->transfer->to, job->blob, &job->sink, err) < 0)
		return -1;
	json_object_set_new(job->transfer->in_place, job->blob->digest, json_true());
	job_close(job);
	job->step = JOB_DONE;
	return tell(job, state, err);
}

/* File to file needs no event loop. */
static int move_locally(struct job *job, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, LOCAL_PIECE);

	for (;;) {
		ssize_t got = read(job->source.fd, buffer, LOCAL_PIECE);

		if (cli_interrupted())
			return error_set(err, ERROR_FAILED, "interrupted");
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_os(err, "%s", job->transfer->from->name);
		if (got == 0)
			break;
		if (receive(job, buffer, (size_t)got) < 0) {
			*err = job->failure;
			return -1;
		}
		if (tell_sometimes(job, err) < 0)
			return -1;
	}
	if (verify(job, err) < 0)
		return -1;
	return finish(job, BLOB_DONE, err);
}

/* A file that is going to be uploaded has the size that is going to be announced. */
static int check_file_size(const struct job *job, struct error *err)
{
	struct stat st;

	if (fstat(job->source.fd, &st) < 0)
		return error_os(err, "%s", job->transfer->from->name);
	if (st.st_size != job->blob->size)
		return wrong(job, err, "does not have the size that its descriptor says");
	return 0;
}

static int open_source(struct job *job, struct error *err)
{
	const struct transfer *transfer = job->transfer;

	if (!transfer->held_digest || strcmp(transfer->held_digest, job->blob->digest) != 0)
		return transfer->from->class->open_blob(transfer->from, job->blob, &job->source,
							err);
	job->source.fd = fcntl(transfer->held_fd, F_DUPFD_CLOEXEC, 0);
	if (job->source.fd < 0 || lseek(job->source.fd, 0, SEEK_SET) < 0)
		return error_os(err, "%s", transfer->from->name);
	return 0;
}

static int start_moving(struct job *job, struct error *err)
{
	struct http_request *download = &job->source.call.request;
	struct http_request *upload = &job->sink.call.request;

	job->step = JOB_MOVING;
	hasher_start(&job->hasher, job->blob->digest);
	if (tell(job, BLOB_STARTED, err) < 0 || open_source(job, err) < 0)
		return -1;
	if (job->source.fd >= 0 && job->sink.fd >= 0)
		return move_locally(job, err);
	if (job->source.fd >= 0 && check_file_size(job, err) < 0)
		return -1;
	if (job->source.fd < 0 && job->sink.fd < 0)
		job->ring = xcalloc(1, RING_SIZE);
	if (job->source.fd < 0) {
		download->write = receive;
		download->context = job;
		download->may_pause = job->ring != NULL;
		job->source.call.once = true;
		registry_call_start(&job->source.call);
	}
	if (job->sink.fd < 0) {
		upload->read = job->source.fd >= 0 ? give_from_file : give_from_ring;
		upload->context = job;
		registry_call_start(&job->sink.call);
	}
	return 0;
}

/* The download is answered; 1 when it is complete and right. */
static int poll_download(struct job *job, struct error *err)
{
	const struct registry_call *call = &job->source.call;
	int status = registry_call_poll(&job->source.call, err);

	if (status <= 0)
		return status;
	if (call->request.status != 200) {
		cleanup_free char *what = xasprintf("blob %s", job->blob->digest);

		return registry_refused(call, what, err);
	}
	return verify(job, err) < 0 ? -1 : 1;
}

static int move(struct job *job, struct error *err)
{
	bool downloads = job->source.fd < 0, uploads = job->sink.fd < 0;
	int status = 0;

	if (job->failed) {
		*err = job->failure;
		return -1;
	}
	if (downloads && !job->verified)
		status = poll_download(job, err);
	if (status == 1 && !uploads)
		return finish(job, BLOB_DONE, err);
	if (status >= 0 && uploads)
		status = registry_call_poll(&job->sink.call, err);
	if (status < 0)
		return -1;
	if (status == 1 && uploads) {
		/* an empty blob never asks for a piece */
		if (!job->verified && job->sink.call.request.status / 100 == 2 &&
		    verify(job, err) < 0)
			return -1;
		return finish(job, BLOB_DONE, err);
	}
	resume(job);
	return tell_sometimes(job, err);
}

static int advance(struct job *job, struct error *err)
{
	struct transport *to = job->transfer->to;

	switch (job->step) {
	case JOB_WAITING:
		if (registry_now_ms() < job->not_before_ms)
			return 0;
		job->step = JOB_ASKING;
		if (to->class->offer_blob(to, job->blob, &job->sink, err) < 0)
			return -1;
		break;
	case JOB_ASKING:
		if (job->sink.state == SINK_ASKING &&
		    to->class->poll_sink(to, job->blob, &job->sink, err) < 0)
			return -1;
		break;
	case JOB_MOVING:
		return move(job, err);
	case JOB_DONE:
		return 0;
	}
	if (job->sink.state == SINK_PRESENT)
		return finish(job, BLOB_PRESENT, err);
	return job->sink.state == SINK_WANTED ? start_moving(job, err) : 0;
}

/* Begin again after what may pass. False when it must not, or was tried often enough. */
static bool will_try_again(struct job *job, const struct error *err)
{
	struct transfer *transfer = job->transfer;
	const struct registry *registry =
		transport_is_docker(transfer->from) ? docker_registry(transfer->from)
		: transport_is_docker(transfer->to) ? docker_registry(transfer->to)
						    : NULL;

	if (!registry || err->kind != ERROR_TEMPORARY || err->os == EPIPE ||
	    job->attempts >= registry->retries || cli_interrupted())
		return false;
	job->attempts++;
	job_close(job);
	job->step = JOB_WAITING;
	job->not_before_ms = registry_now_ms() + registry_backoff_ms(registry, job->attempts);
	log_message(LOG_LEVEL_INFO, "%s; trying again", err->message);
	return true;
}

/* ---- all jobs ---- */

static void job_begin(struct job *job, struct transfer *transfer, const struct blob *blob)
{
	*job = (struct job){ .transfer = transfer, .blob = blob, .step = JOB_WAITING };
	job->source.fd = job->sink.fd = -1;
}

/* The next blob that is not in place and not on its way; NULL at the end. */
static const struct blob *next_blob(const struct transfer *transfer, const struct blob *blobs,
				    size_t count, size_t *next, const struct job *jobs)
{
	while (*next < count) {
		const struct blob *blob = &blobs[(*next)++];
		bool seen = json_object_get(transfer->in_place, blob->digest);

		for (size_t i = 0; i < PARALLEL && !seen; i++)
			seen = jobs[i].step != JOB_DONE &&
			       strcmp(jobs[i].blob->digest, blob->digest) == 0;
		if (!seen)
			return blob;
	}
	return NULL;
}

/* Move every job one step on and put new ones in the place of those that are done. Returns how
 * many are left, or -1. */
static int advance_all(struct transfer *transfer, struct job *jobs, const struct blob *blobs,
		       size_t count, size_t *next, struct error *err)
{
	int left = 0;

	for (size_t i = 0; i < PARALLEL; i++) {
		struct job *job = &jobs[i];

		while (job->step == JOB_DONE) {
			const struct blob *blob = next_blob(transfer, blobs, count, next, jobs);

			if (!blob)
				break;
			job_begin(job, transfer, blob);
			if (advance(job, err) < 0 && !will_try_again(job, err))
				return -1;
		}
		if (job->step != JOB_DONE && advance(job, err) < 0 && !will_try_again(job, err))
			return -1;
		left += job->step != JOB_DONE;
	}
	return left + (*next < count);
}

int transfer_blobs(struct transfer *transfer, const struct blob *blobs, size_t count,
		   struct error *err)
{
	struct job *jobs = xcalloc(PARALLEL, sizeof *jobs);
	size_t next = 0;
	int left;

	for (size_t i = 0; i < PARALLEL; i++) {
		job_begin(&jobs[i], transfer, NULL);
		jobs[i].step = JOB_DONE;
	}
	while ((left = advance_all(transfer, jobs, blobs, count, &next, err)) > 0)
		if (transfer->http && http_pump(transfer->http, POLL_MS, err) < 0) {
			left = -1;
			break;
		}
	for (size_t i = 0; i < PARALLEL; i++)
		job_close(&jobs[i]);
	free(jobs);
	return left;
}
