/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/flow.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RING_SIZE = 128 << 10, /* bytes between a download and the upload that it feeds */
	LOCAL_PIECE = 256 << 10
};

/* ---- checking ---- */

static int wrong_size(const struct flow *flow, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY,
			 "%s: blob %s does not have the size that its descriptor says", flow->from,
			 flow->blob->digest);
}

static ssize_t stop(struct flow *flow)
{
	flow->failed = true;
	return HTTP_ABORT;
}

static bool is_too_long(const struct flow *flow, size_t length)
{
	return flow->blob->size >= 0 && (json_int_t)length > flow->blob->size - flow->received;
}

/* ---- taking ---- */

static void ring_put(struct flow *flow, const char *data, size_t length)
{
	while (length > 0) {
		size_t at = (flow->ring_start + flow->ring_used) % RING_SIZE;
		size_t part = RING_SIZE - at;

		if (part > length)
			part = length;
		memcpy(flow->ring + at, data, part);
		flow->ring_used += part;
		data += part;
		length -= part;
	}
}

/* Which file it is shows late: it may be one that was begun before, or the source's. */
static void begin_settling(struct flow *flow)
{
	if (!settling_is_begun(&flow->settled))
		settling_begin(flow->settling, &flow->settled, flow->sink.fd);
}

static int put_away(struct flow *flow, const void *data, size_t length, struct error *err)
{
	const struct blob_sink *sink = &flow->sink;

	if (sink->take)
		return sink->take(sink->taker, data, length, err);
	if (file_write_fd(sink->fd, data, length, flow->to, err) < 0)
		return -1;
	flow->kept += (json_int_t)length;
	if (flow->settling) {
		begin_settling(flow);
		settling_grow(flow->settling, &flow->settled, length);
	}
	return 0;
}

void flow_settle(struct flow *flow)
{
	begin_settling(flow);
	settling_finish(flow->settling, &flow->settled);
}

/* Write first: then the file has what was received, whatever becomes of it. */
static int pass_piece(struct flow *flow, struct error *err)
{
	if (put_away(flow, flow->piece, flow->piece_length, err) < 0)
		return -1;
	hashing_pass(flow->hashing, flow->piece, flow->piece_length, &flow->hashed);
	flow->piece = NULL;
	flow->piece_length = 0;
	return 0;
}

/* What comes in small pieces is put together: writing and handing over cost by the piece. */
static int gather(struct flow *flow, const char *data, size_t length, struct error *err)
{
	while (length > 0) {
		if (!flow->piece)
			flow->piece = hashing_slot(flow->hashing);
		size_t part = HASHING_SLOT - flow->piece_length;

		part = part < length ? part : length;
		memcpy(flow->piece + flow->piece_length, data, part);
		flow->piece_length += part;
		data += part;
		length -= part;
		if (flow->piece_length == HASHING_SLOT && pass_piece(flow, err) < 0)
			return -1;
	}
	return 0;
}

static int take(struct flow *flow, const char *data, size_t length)
{
	if (is_too_long(flow, length))
		return wrong_size(flow, &flow->failure);
	flow->received += (json_int_t)length;
	if (flow->hashing)
		return gather(flow, data, length, &flow->failure);
	hasher_update(&flow->hashed.hasher, data, length);
	if (flow->ring) {
		/* what the registry has already need only be hashed */
		json_int_t wanted = flow->received - flow->sink.offset;
		size_t part = wanted < 0		    ? 0
			      : wanted < (json_int_t)length ? (size_t)wanted
							    : length;

		ring_put(flow, data + length - part, part);
		return 0;
	}
	return put_away(flow, data, length, &flow->failure);
}

/* Take a piece of the blob from its source. */
static ssize_t receive(void *context, const char *data, size_t length)
{
	struct flow *flow = context;

	if (flow->ring && RING_SIZE - flow->ring_used < length) {
		flow->download_paused = true;
		return HTTP_PAUSE;
	}
	if (!flow->answer_is_checked && flow_check_answer(flow, &flow->failure) < 0)
		return stop(flow);
	size_t known = (json_int_t)length < flow->known ? length : (size_t)flow->known;
	flow->known -= (json_int_t)known;
	if (known < length && take(flow, data + known, length - known) < 0)
		return stop(flow);
	return (ssize_t)length;
}

static int wrong_digest(const struct flow *flow, const char *actual, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s: blob %s has the digest %s", flow->from,
			 flow->blob->digest, actual);
}

int flow_verify(struct flow *flow, struct error *err)
{
	char actual[DIGEST_SIZE];

	if (flow->piece && pass_piece(flow, err) < 0)
		return -1;
	if (flow->blob->size >= 0 && flow->received != flow->blob->size)
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s has %lld bytes, expected %lld",
				 flow->from, flow->blob->digest, (long long)flow->received,
				 (long long)flow->blob->size);
	if (flow->hashing)
		hashing_wait(flow->hashing, &flow->hashed);
	hasher_finish(&flow->hashed.hasher, actual);
	if (!flow->is_file && strcmp(actual, flow->blob->digest) != 0)
		return wrong_digest(flow, actual, err);
	flow->verified = true;
	return 0;
}

int flow_refused(struct flow *flow, struct error *err)
{
	struct blob_source *file = &flow->source;
	char actual[DIGEST_SIZE];
	struct error ignored;
	json_int_t size;

	if (!flow->is_file || flow->sink.call.request.status != 400 ||
	    lseek(file->fd, flow->file_start, SEEK_SET) < 0)
		return -1;
	file->rest = flow->blob->size;
	if (blob_source_hash(file, flow->blob->digest, flow->from, actual, &size, &ignored) < 0)
		return -1;
	return strcmp(actual, flow->blob->digest) != 0 ? wrong_digest(flow, actual, err) : -1;
}

/* ---- giving ---- */

/* Give the upload a piece of what is here. */
static ssize_t give_from_source(void *context, char *buffer, size_t size)
{
	struct flow *flow = context;

	if (flow->verified)
		return 0;
	if ((json_int_t)size > flow->sink.part_left)
		size = (size_t)flow->sink.part_left;
	ssize_t got = blob_source_read(&flow->source, buffer, size, flow->from, &flow->failure);
	if (got < 0)
		return stop(flow);
	if (!flow->is_file)
		hasher_update(&flow->hashed.hasher, buffer, (size_t)got);
	flow->received += got;
	flow->given += got;
	flow->sink.part_left -= got;
	if ((flow->received == flow->blob->size || got == 0) &&
	    flow_verify(flow, &flow->failure) < 0)
		return stop(flow);
	return got;
}

static size_t ring_available(const struct flow *flow)
{
	json_int_t limit = flow->blob->size - flow->given - (flow->verified ? 0 : 1);

	if (limit <= 0)
		return 0;
	return (json_int_t)flow->ring_used < limit ? flow->ring_used : (size_t)limit;
}

static ssize_t give_from_ring(void *context, char *buffer, size_t size)
{
	struct flow *flow = context;
	size_t available = ring_available(flow);
	size_t part = RING_SIZE - flow->ring_start;

	if ((json_int_t)available > flow->sink.part_left)
		available = (size_t)flow->sink.part_left;
	if (available == 0 && flow->sink.part_left > 0) {
		flow->upload_paused = true;
		return HTTP_PAUSE;
	}
	part = part < available ? part : available;
	part = part < size ? part : size;
	memcpy(buffer, flow->ring + flow->ring_start, part);
	flow->ring_start = (flow->ring_start + part) % RING_SIZE;
	flow->ring_used -= part;
	flow->given += (json_int_t)part;
	flow->sink.part_left -= (json_int_t)part;
	return (ssize_t)part;
}

void flow_resume(struct flow *flow)
{
	if (flow->piece && flow->received == flow->seen && !flow->failed)
		flow->failed = pass_piece(flow, &flow->failure) < 0;
	flow->seen = flow->received;
	if (flow->download_paused && RING_SIZE - flow->ring_used >= RING_SIZE / 2) {
		flow->download_paused = false;
		http_resume(&flow->source.call.request);
	}
	if (flow->upload_paused && ring_available(flow) > 0) {
		flow->upload_paused = false;
		http_resume(&flow->sink.call.request);
	}
}

/* ---- the whole ---- */

/* A file that is going to be uploaded has the size that is going to be announced; what the registry
 * has of it already is passed over. */
static int begin_file(struct flow *flow, struct error *err)
{
	struct blob_source *file = &flow->source;
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return error_os(err, "%s", flow->from);
	if (file->rest < 0 && st.st_size != flow->blob->size)
		return wrong_size(flow, err);
	flow->file_start = lseek(file->fd, 0, SEEK_CUR);
	if (flow->file_start < 0 || lseek(file->fd, flow->sink.offset, SEEK_CUR) < 0)
		return error_os(err, "%s", flow->from);
	if (file->rest >= 0)
		file->rest -= flow->sink.offset;
	flow->is_file = true;
	flow->received = flow->sink.offset;
	return flow->sink.offset > 0 && flow->received == flow->blob->size ? flow_verify(flow, err)
									   : 0;
}

/* Hash what the registry has of the blob, up to where it is to be given. */
static int pass_over(struct flow *flow, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, LOCAL_PIECE);
	json_int_t left = flow->sink.offset;
	ssize_t got = 1;

	for (; left > 0 && got > 0; left -= got) {
		size_t size = left < LOCAL_PIECE ? (size_t)left : LOCAL_PIECE;

		if (cli_interrupted())
			return cli_fail_interrupted(err);
		got = blob_source_read(&flow->source, buffer, size, flow->from, err);
		if (got < 0)
			return -1;
		hasher_update(&flow->hashed.hasher, buffer, (size_t)got);
		flow->received += got;
	}
	return flow->sink.offset > 0 && flow->received == flow->blob->size ? flow_verify(flow, err)
									   : 0;
}

int flow_begin(struct flow *flow, struct error *err)
{
	struct http_request *download = &flow->source.call.request;
	struct http_request *upload = &flow->sink.call.request;
	bool downloads = blob_source_is_call(&flow->source),
	     uploads = blob_sink_is_call(&flow->sink);

	hasher_start(&flow->hashed.hasher, flow->blob->digest);
	if (uploads && !downloads &&
	    (flow->source.fd >= 0 ? begin_file(flow, err) : pass_over(flow, err)) < 0)
		return -1;
	flow->given = flow->sink.offset;
	if (downloads && uploads)
		flow->ring = xcalloc(1, RING_SIZE);
	if (downloads) {
		download->write = receive;
		download->context = flow;
		download->piece = flow->hashing ? HASHING_SLOT : 0;
		flow->source.call.once = true;
	}
	if (uploads) {
		upload->read = downloads ? give_from_ring : give_from_source;
		upload->context = flow;
	}
	return 0;
}

/* Where the destination is on the same file system, a file that is known to be right need not be
 * copied: it becomes the destination's. */
static bool take_file(struct flow *flow)
{
	struct blob_sink *sink = &flow->sink;
	struct stat ours, theirs;

	if (!flow->source.is_whole || sink->take || sink->temporary[0] || sink->dir_fd < 0 ||
	    fstat(flow->source.fd, &ours) < 0 || fstat(sink->fd, &theirs) < 0 ||
	    ours.st_dev != theirs.st_dev || ours.st_size != flow->blob->size)
		return false;
	cleanup_fd_p(&sink->fd);
	sink->fd = steal_fd(&flow->source.fd);
	flow->received = flow->blob->size;
	flow->verified = true;
	return true;
}

/* Let the kernel copy a file that is known to be right. False where it cannot, at the beginning;
 * what it has done then is done again. */
static bool copy_file(struct flow *flow)
{
	loff_t from = 0, to = lseek(flow->sink.fd, 0, SEEK_CUR);
	json_int_t left = flow->blob->size;

	if (!flow->source.is_whole || flow->sink.take || to < 0)
		return false;
	while (left > 0 && !cli_interrupted()) {
		ssize_t copied = copy_file_range(flow->source.fd, &from, flow->sink.fd, &to,
						 (size_t)left, 0);

		if (copied <= 0)
			return false;
		left -= copied;
	}
	flow->received = flow->blob->size - left;
	flow->verified = left == 0;
	return left == 0;
}

/* With hashing, `data` is the piece. */
static int take_local(struct flow *flow, const void *data, size_t length, struct error *err)
{
	if (is_too_long(flow, length))
		return wrong_size(flow, err);
	flow->received += (json_int_t)length;
	if (flow->hashing) {
		flow->piece_length = length;
		return pass_piece(flow, err);
	}
	hasher_update(&flow->hashed.hasher, data, length);
	return put_away(flow, data, length, err);
}

int flow_run(struct flow *flow, int (*tell)(void *context, struct error *err), void *context,
	     struct error *err)
{
	if (take_file(flow) || copy_file(flow))
		return 0;
	cleanup_free char *own = flow->hashing ? NULL : xcalloc(1, LOCAL_PIECE);
	size_t size = flow->hashing ? HASHING_SLOT : LOCAL_PIECE;
	for (;;) {
		if (flow->hashing && !flow->piece)
			flow->piece = hashing_slot(flow->hashing);
		void *buffer = own ? (void *)own : flow->piece;
		ssize_t got = blob_source_read(&flow->source, buffer, size, flow->from, err);

		if (cli_interrupted())
			return cli_fail_interrupted(err);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (take_local(flow, buffer, (size_t)got, err) < 0 || tell(context, err) < 0)
			return -1;
	}
	return flow_verify(flow, err);
}

/* A part of a download that is kept is kept to its last byte. */
static void leave_piece(struct flow *flow)
{
	struct error ignored;

	if (flow->piece && flow->sink.is_partial && !flow->sink.take)
		(void)put_away(flow, flow->piece, flow->piece_length, &ignored);
	if (flow->piece)
		hashing_drop(flow->hashing, flow->piece);
	flow->piece = NULL;
	flow->piece_length = 0;
}

void flow_close(struct flow *flow)
{
	struct error ignored;

	leave_piece(flow);
	if (flow->hashing)
		hashing_wait(flow->hashing, &flow->hashed);
	if (flow->settling)
		(void)settling_end(flow->settling, &flow->settled, "", &ignored);
	blob_source_close(&flow->source);
	blob_sink_close(&flow->sink);
	hasher_free(&flow->hashed.hasher);
	free(flow->ring);
	flow->ring = NULL;
	flow->ring_start = flow->ring_used = 0;
	flow->received = flow->given = flow->kept = flow->known = flow->seen = 0;
	flow->is_continued = flow->is_taken_up = flow->answer_is_checked = false;
	flow->is_file = false;
	flow->verified = flow->failed = flow->download_paused = flow->upload_paused = false;
}
