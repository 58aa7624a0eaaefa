/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/carrier.h"
#include "ocid-dispatch/stream/spdy.h"
#include "ocid-dispatch/stream/websocket.h"

#include <stdlib.h>

struct carriage {
	struct spdy *spdy;
	struct websocket *tunnel; /* or NULL */
	int failed;		  /* of SPDY in the tunnel, which has no way to say so */
	struct error err;
};

static struct carriage *carriage_of(const struct session *session)
{
	return session->carrier_data;
}

/* ---- what SPDY tells ---- */

static void on_opened(void *owner, struct spdy_stream *stream, const struct strings *fields)
{
	struct session *session = owner;
	struct channel *channel = session_channel(session, stream, 0);
	struct error err = { 0 };

	stream->user = channel;
	if (!session->ending && session->service->opened(channel, fields, &err) == 0) {
		spdy_accept(stream);
		return;
	}
	stream->user = NULL;
	channel->carried = NULL;
	session_remove(channel);
	spdy_reset(stream, err.kind == ERROR_LIMIT ? SPDY_REFUSED_STREAM : SPDY_PROTOCOL_ERROR);
}

static void on_data(void *owner, struct spdy_stream *stream, const void *data, size_t length)
{
	(void)owner;
	channel_receive(stream->user, data, length);
}

static void on_ended(void *owner, struct spdy_stream *stream)
{
	struct channel *channel = stream->user;

	(void)owner;
	channel->in_ended = true;
}

static void on_closed(void *owner, struct spdy_stream *stream, bool reset)
{
	struct channel *channel = stream->user;

	(void)owner;
	if (!channel)
		return;
	channel->carried = NULL;
	channel->in_ended = true;
	if (reset)
		channel_drop(channel);
}

static const struct spdy_events events = { on_opened, on_data, on_ended, on_closed };

/* ---- what the session wants ---- */

static void on_part(void *owner, bool text, bool first, bool last, const void *data, size_t length)
{
	struct session *session = owner;
	struct carriage *carriage = carriage_of(session);

	(void)first;
	(void)last;
	if (carriage->failed)
		return;
	if (text)
		carriage->failed =
			error_set(&carriage->err, ERROR_INTEGRITY, "SPDY in a text message");
	else
		carriage->failed = spdy_receive(carriage->spdy, data, length, &carriage->err);
}

static int receive(struct session *session, const void *data, size_t length, struct error *err)
{
	struct carriage *carriage = carriage_of(session);

	if (!carriage->tunnel)
		return spdy_receive(carriage->spdy, data, length, err);
	if (websocket_receive(carriage->tunnel, data, length, err) < 0)
		return -1;
	if (carriage->failed)
		*err = carriage->err;
	return carriage->failed;
}

static struct buffer *output(struct session *session)
{
	struct carriage *carriage = carriage_of(session);
	struct buffer *out = spdy_output(carriage->spdy);

	if (!carriage->tunnel)
		return out;
	if (buffer_length(out) > 0) {
		websocket_send(carriage->tunnel, false, buffer_data(out), buffer_length(out));
		buffer_consume(out, buffer_length(out));
	}
	return websocket_output(carriage->tunnel);
}

static size_t room(const struct channel *channel)
{
	return spdy_room(channel->carried);
}

static void send_data(struct channel *channel, const void *data, size_t length)
{
	spdy_send(channel->carried, data, length);
}

static void finish(struct channel *channel)
{
	spdy_finish(channel->carried);
}

static void consumed(struct channel *channel, size_t length)
{
	spdy_consumed(carriage_of(channel->session)->spdy, channel->carried, length);
}

static void leave(struct session *session)
{
	struct carriage *carriage = carriage_of(session);

	spdy_go_away(carriage->spdy);
	if (carriage->tunnel) {
		output(session);
		websocket_close(carriage->tunnel);
	}
}

static bool left(const struct session *session)
{
	const struct carriage *carriage = carriage_of(session);

	return carriage->tunnel && websocket_is_closed(carriage->tunnel);
}

static void carriage_free(struct session *session)
{
	struct carriage *carriage = carriage_of(session);

	spdy_free(carriage->spdy);
	websocket_free(carriage->tunnel);
	free(carriage);
}

int carrier_spdy(struct session *session, bool in_websocket, struct error *err)
{
	static const struct carrier carrier = { receive,  output, room, send_data,    finish,
						consumed, leave,  left, carriage_free };
	struct carriage *carriage = xcalloc(1, sizeof *carriage);

	session->carrier_data = carriage;
	session->carrier = &carrier;
	if (in_websocket && !(carriage->tunnel = websocket_new(on_part, session, err)))
		return -1;
	carriage->spdy = spdy_new(&events, session, err);
	return carriage->spdy ? 0 : -1;
}
