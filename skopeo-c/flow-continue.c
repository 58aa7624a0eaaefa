/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads that go on where they broke (RFC 9110, 14). */
#include "lib/memory.h"
#include "skopeo-c/flow.h"

#include <stdlib.h>
#include <string.h>

bool flow_can_continue(const struct flow *flow)
{
	json_int_t size = flow->blob->size;

	return flow->received > 0 && (size < 0 || flow->received < size) && !flow->failed &&
	       !flow->sink.call.request.done;
}

void flow_continue(struct flow *flow)
{
	struct registry_call *call = &flow->source.call;

	flow->is_continued = true;
	flow->answer_is_checked = flow->download_paused = false;
	flow->known = 0;
	call->challenges = 0;
	strings_free(&call->request.headers);
	strings_addf(&call->request.headers, "Range: bytes=%lld-", (long long)flow->received);
	registry_call_start(call);
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
