/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes of a SPDY client; streams are accepted, answered and ended as they come. */
#include "ocid-dispatch/stream/spdy.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_opened(void *owner, struct spdy_stream *stream, const struct strings *fields)
{
	int *count = owner;

	stream->user = stream;
	if (fields->count == 0)
		spdy_reset(stream, SPDY_PROTOCOL_ERROR);
	else if ((*count)++ % 3 < 2)
		spdy_accept(stream);
	else
		spdy_finish(stream);
}

static void on_data(void *owner, struct spdy_stream *stream, const void *data, size_t length)
{
	size_t room = spdy_room(stream);

	(void)owner;
	if (stream->user != stream)
		__builtin_trap();
	spdy_send(stream, data, length < room ? length : room);
	spdy_consumed(stream->session, stream, length);
	if (length == 1)
		spdy_reset(stream, SPDY_CANCEL);
}

static void on_ended(void *owner, struct spdy_stream *stream)
{
	(void)owner;
	spdy_finish(stream);
}

static void on_closed(void *owner, struct spdy_stream *stream, bool reset)
{
	(void)owner;
	(void)reset;
	stream->user = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct spdy_events events = { on_opened, on_data, on_ended, on_closed };
	struct error err = { 0 };
	int count = 0;
	struct spdy *session = spdy_new(&events, &count, &err);

	if (session && spdy_receive(session, data, size / 2, &err) == 0)
		spdy_receive(session, data + size / 2, size - size / 2, &err);
	spdy_free(session);
	return 0;
}
