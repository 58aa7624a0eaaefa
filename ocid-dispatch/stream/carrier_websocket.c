/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "ocid-dispatch/stream/carrier.h"
#include "ocid-dispatch/stream/websocket.h"

#include <stdlib.h>
#include <string.h>

enum {
	CLOSE_CHANNEL = 255, /* of v5: the next byte is the channel that is ended */
	CLOSE_VERSION = 5,
	NO_CHANNEL = -1,
	QUANTUM = 4, /* characters of base64 that are whole bytes */
	PART_MAX = 64 << 10,
};

struct carriage {
	struct websocket *websocket;
	bool base64;
	int current;		     /* the channel of the message that is being received */
	unsigned char held[QUANTUM]; /* base64 that is not whole yet */
	size_t held_length;
	bool malformed;
};

static struct carriage *carriage_of(const struct session *session)
{
	return session->carrier_data;
}

static struct channel *find(const struct session *session, int number)
{
	struct channel *channel = session->channels;

	while (channel && (int)channel->number != number)
		channel = channel->next;
	return channel;
}

/* ---- from the client ---- */

/* For a channel; one that there is not is nobody's. */
static void deliver(struct session *session, const void *data, size_t length)
{
	const struct carriage *carriage = carriage_of(session);
	struct channel *channel;

	if (length == 0)
		return;
	if (carriage->current == CLOSE_CHANNEL && session->version >= CLOSE_VERSION) {
		channel = find(session, *(const unsigned char *)data);
		if (channel)
			channel->in_ended = true;
		return;
	}
	channel = find(session, carriage->current);
	if (channel && !channel->in_ended)
		channel_receive(channel, data, length);
}

static void decode(struct session *session, const unsigned char *data, size_t length, bool last)
{
	struct carriage *carriage = carriage_of(session);
	cleanup_buffer struct buffer text = { 0 };
	size_t whole;

	buffer_append(&text, carriage->held, carriage->held_length);
	buffer_append(&text, data, length);
	whole = buffer_length(&text) - (last ? 0 : buffer_length(&text) % QUANTUM);
	carriage->held_length = buffer_length(&text) - whole;
	memcpy(carriage->held, buffer_data(&text) + whole, carriage->held_length);

	cleanup_free unsigned char *plain = xcalloc(whole / QUANTUM + 1, QUANTUM);
	ssize_t decoded = base64_decode((const char *)buffer_data(&text), whole, plain);
	if (decoded < 0)
		carriage->malformed = true;
	else
		deliver(session, plain, (size_t)decoded);
}

static void on_part(void *owner, bool text, bool first, bool last, const void *data, size_t length)
{
	struct session *session = owner;
	struct carriage *carriage = carriage_of(session);
	const unsigned char *at = data;

	(void)text;
	if (first) {
		carriage->current = NO_CHANNEL;
		carriage->held_length = 0;
	}
	if (carriage->current == NO_CHANNEL && length > 0) {
		carriage->malformed |= carriage->base64 && *at < '0';
		carriage->current = carriage->base64 ? *at - '0' : *at;
		at++;
		length--;
	}
	if (carriage->base64)
		decode(session, at, length, last);
	else
		deliver(session, at, length);
}

static int receive(struct session *session, const void *data, size_t length, struct error *err)
{
	struct carriage *carriage = carriage_of(session);

	if (websocket_receive(carriage->websocket, data, length, err) < 0)
		return -1;
	if (carriage->malformed)
		return error_set(err, ERROR_INTEGRITY, "WebSocket: malformed base64");
	return 0;
}

/* ---- to the client ---- */

static struct buffer *output(struct session *session)
{
	return websocket_output(carriage_of(session)->websocket);
}

static size_t room(const struct channel *channel)
{
	(void)channel;
	return PART_MAX;
}

static void send_data(struct channel *channel, const void *data, size_t length)
{
	const struct carriage *carriage = carriage_of(channel->session);
	cleanup_buffer struct buffer message = { 0 };
	unsigned char number = (unsigned char)channel->number;

	if (!carriage->base64) {
		buffer_append(&message, &number, 1);
		buffer_append(&message, data, length);
	} else {
		cleanup_free char *text = base64_encode(data, length);

		number = (unsigned char)(number + '0');
		buffer_append(&message, &number, 1);
		buffer_append(&message, text, strlen(text));
	}
	websocket_send(carriage->websocket, carriage->base64, buffer_data(&message),
		       buffer_length(&message));
}

static void finish(struct channel *channel)
{
	(void)channel; /* the end of a channel cannot be said but by that of all */
}

static void consumed(struct channel *channel, size_t length)
{
	(void)channel;
	(void)length;
}

static void leave(struct session *session)
{
	websocket_close(carriage_of(session)->websocket);
}

static bool left(const struct session *session)
{
	return websocket_is_closed(carriage_of(session)->websocket);
}

static void carriage_free(struct session *session)
{
	struct carriage *carriage = carriage_of(session);

	websocket_free(carriage->websocket);
	free(carriage);
}

int carrier_websocket(struct session *session, bool base64, struct error *err)
{
	static const struct carrier carrier = { receive,  output, room, send_data,    finish,
						consumed, leave,  left, carriage_free };
	struct carriage *carriage = xcalloc(1, sizeof *carriage);

	carriage->base64 = base64;
	session->carrier_data = carriage;
	session->carrier = &carrier;
	carriage->websocket = websocket_new(on_part, session, err);
	return carriage->websocket ? 0 : -1;
}
