/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads that go on where they broke (RFC 9110, 14). */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "skopeo-c/flow.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 256 << 10 };

bool flow_can_continue(const struct flow *flow)
{
	json_int_t size = flow->blob->size;

	return flow->received > 0 && (size < 0 || flow->received < size) && !flow->failed &&
	       !flow->sink.call.request.done;
}

static void ask_for_rest(struct flow *flow)
{
	struct http_request *request = &flow->source.call.request;

	flow->is_continued = true;
	strings_free(&request->headers);
	strings_addf(&request->headers, "Range: bytes=%lld-", (long long)flow->received);
}

void flow_continue(struct flow *flow)
{
	flow->answer_is_checked = flow->download_paused = false;
	flow->known = 0;
	flow->source.call.challenges = 0;
	ask_for_rest(flow);
	registry_call_start(&flow->source.call);
}

/* Hash what the sink's file has of the blob; it is written to behind that. */
static int hash_file(struct flow *flow, struct error *err)
{
	struct blob_source file = BLOB_SOURCE_NONE;
	cleanup_free char *buffer = xcalloc(1, READ_SIZE);
	ssize_t got;

	file.fd = flow->sink.fd;
	file.rest = flow->blob->size;
	while ((got = blob_source_read(&file, buffer, READ_SIZE, flow->to, err)) > 0) {
		if (cli_interrupted())
			return cli_fail_interrupted(err);
		hasher_update(&flow->hashed.hasher, buffer, (size_t)got);
		flow->received += got;
	}
	if (got < 0)
		return -1;
	return ftruncate(file.fd, flow->received) < 0 ? error_os(err, "%s", flow->to) : 0;
}

static int begin_anew(struct flow *flow, struct error *err)
{
	if (ftruncate(flow->sink.fd, 0) < 0 || lseek(flow->sink.fd, 0, SEEK_SET) < 0)
		return error_os(err, "%s", flow->to);
	hasher_start(&flow->hashed.hasher, flow->blob->digest);
	flow->received = 0;
	return 0;
}

int flow_take_up(struct flow *flow, struct error *err)
{
	struct error wrong;

	if (flow->sink.fd < 0 || !blob_sink_open_partial(&flow->sink, flow->blob))
		return 0;
	if (hash_file(flow, err) < 0)
		return -1;
	if (flow->received == flow->blob->size)
		return flow_verify(flow, &wrong) < 0 ? begin_anew(flow, err) : 0;
	flow->is_taken_up = flow->received > 0;
	if (flow->is_taken_up)
		ask_for_rest(flow);
	return 0;
}

/* "bytes FIRST-LAST/SIZE", where SIZE may be "*". */
static bool is_range(const char *text, json_int_t first, json_int_t size)
{
	char *end;

	if (!text || strncmp(text, "bytes ", 6) != 0 || strtoll(text + 6, &end, 10) != first ||
	    *end != '-')
		return false;
	const char *total = strchr(end, '/');
	return total &&
	       (size < 0 || strcmp(total, "/*") == 0 || strtoll(total + 1, NULL, 10) == size);
}

static int is_wrong(const struct flow *flow, const char *why, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s: blob %s %s", flow->from, flow->blob->digest,
			 why);
}

/* What cannot be right need not be fetched. */
int flow_check_answer(struct flow *flow, struct error *err)
{
	const struct http_request *answer = &flow->source.call.request;
	json_int_t size = flow->blob->size, first = 0;

	flow->answer_is_checked = true;
	if (!blob_source_is_call(&flow->source))
		return 0;
	if (flow->is_continued && answer->status == 206) {
		first = flow->received;
		if (!is_range(http_header(answer, "content-range", 0), first, size))
			return is_wrong(flow, "comes in another range than was asked for", err);
	}
	const char *length = http_header(answer, "content-length", 0);
	if (length && size >= 0 && strtoll(length, NULL, 10) != size - first)
		return is_wrong(flow, "does not have the size that its descriptor says", err);
	flow->known = flow->received - first;
	return 0;
}
