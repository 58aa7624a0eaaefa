/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes of a client, after the preface; whole requests are answered. */
#include "ocid-dispatch/http2.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

static void on_opened(void *owner, struct http2_stream *stream)
{
	(void)owner;
	stream->user = stream;
}

static void on_request(void *owner, struct http2_stream *stream)
{
	const struct http2_field headers[] = { { ":status", "200" } };
	const struct http2_field trailers[] = { { "grpc-status", "0" } };
	int *count = owner;

	if ((*count)++ % 3 == 0) {
		http2_respond(stream, headers, 1, true);
		return;
	}
	http2_respond(stream, headers, 1, false);
	http2_send(stream, buffer_data(&stream->body), buffer_length(&stream->body));
	http2_drop_body(stream);
	http2_end(stream, trailers, 1);
}

static void on_closed(void *owner, struct http2_stream *stream)
{
	(void)owner;
	(void)stream;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http2_events events = { on_opened, on_request, on_closed, on_closed };
	struct http2_limits limits = { 4096, 16384 };
	cleanup_buffer struct buffer out = { 0 };
	struct error err = { 0 };
	int count = 0;
	struct http2 *session = http2_new(&events, &limits, &count);

	if (http2_receive(session, preface, sizeof preface - 1, &err) == 0)
		http2_receive(session, data, size / 2, &err);
	http2_output(session, &out, SIZE_MAX, &err);
	http2_receive(session, data + size / 2, size - size / 2, &err);
	http2_output(session, &out, SIZE_MAX, &err);
	http2_go_away(session);
	http2_output(session, &out, SIZE_MAX, &err);
	http2_free(session);
	if (limits.bodies_left != 16384)
		__builtin_trap();
	return 0;
}
