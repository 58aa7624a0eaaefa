/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/spdy.h"

#include "ocid-dispatch/stream/spdy_frames.h"
#include "ocid-dispatch/stream/spdy_headers.h"

#include <stdlib.h>

enum {
	HEADER_SIZE = 8,
	ID_MASK = 0x7fffffff,
	INITIAL_WINDOW = 64 << 10, /* until SETTINGS or WINDOW_UPDATE say otherwise */
	WINDOW_MAX = 0x7fffffff,
	SYN_STREAM_SIZE = 10, /* before the headers */
};

enum { FLAG_FIN = 1, FLAG_UNIDIRECTIONAL = 2 };
enum { GOAWAY_OK = 0, GOAWAY_PROTOCOL_ERROR = 1 };

struct spdy {
	const struct spdy_events *events;
	void *owner;
	struct buffer out;
	struct spdy_headers headers;
	struct spdy_stream *streams;
	size_t count;
	uint32_t last_id; /* of the client's newest stream */

	/* the frame that is being received */
	struct buffer frame; /* its header, and the payload of a control frame */
	uint32_t data_id;
	size_t data_left;
	bool in_data, data_fin;

	/* flow control */
	bool controlled; /* the client keeps to it */
	int64_t send_window, initial_send_window;
	size_t uncredited;
};

/* ---- streams ---- */

static struct spdy_stream *find(const struct spdy *session, uint32_t id)
{
	struct spdy_stream *stream = session->streams;

	while (stream && stream->id != id)
		stream = stream->next;
	return stream;
}

static void remove_stream(struct spdy_stream *stream, bool reset)
{
	struct spdy *session = stream->session;
	struct spdy_stream **link = &session->streams;

	while (*link != stream)
		link = &(*link)->next;
	*link = stream->next;
	session->count--;
	session->events->closed(session->owner, stream, reset);
	free(stream);
}

static void remove_if_over(struct spdy_stream *stream)
{
	if (stream->remote_done && stream->local_done)
		remove_stream(stream, false);
}

static void remote_done(struct spdy_stream *stream)
{
	struct spdy *session = stream->session;
	uint32_t id = stream->id;

	stream->remote_done = true;
	session->events->ended(session->owner, stream);
	/* the owner may have ended the other half, and so the stream */
	stream = find(session, id);
	if (stream)
		remove_if_over(stream);
}

/* ---- reading ---- */

static int protocol_error(struct spdy *session, struct error *err, const char *what)
{
	spdy_put_go_away(&session->out, session->last_id, GOAWAY_PROTOCOL_ERROR);
	return error_set(err, ERROR_INTEGRITY, "SPDY: %s", what);
}

static uint32_t get32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int read_headers(struct spdy *session, const unsigned char *block, size_t length,
			struct strings *fields, struct error *err)
{
	if (spdy_headers_read(&session->headers, block, length, fields, err) == 0)
		return 0;
	spdy_put_go_away(&session->out, session->last_id, GOAWAY_PROTOCOL_ERROR);
	return error_prefix(err, "SPDY");
}

static int on_syn_stream(struct spdy *session, unsigned flags, const unsigned char *payload,
			 size_t length, struct error *err)
{
	cleanup_strings struct strings fields = { 0 };
	uint32_t id = length < SYN_STREAM_SIZE ? 0 : get32(payload) & ID_MASK;

	if (id % 2 == 0 || id <= session->last_id)
		return protocol_error(session, err, "SYN_STREAM with a number that cannot be new");
	session->last_id = id;
	/* what is refused is also read: the blocks depend on each other */
	if (read_headers(session, payload + SYN_STREAM_SIZE, length - SYN_STREAM_SIZE, &fields,
			 err) < 0)
		return -1;
	if (session->count == SPDY_STREAMS_MAX) {
		spdy_put_reset(&session->out, id, SPDY_REFUSED_STREAM);
		return 0;
	}

	struct spdy_stream *stream = xcalloc(1, sizeof *stream);
	stream->session = session;
	stream->id = id;
	stream->send_window = session->initial_send_window;
	stream->local_done = flags & FLAG_UNIDIRECTIONAL;
	stream->next = session->streams;
	session->streams = stream;
	session->count++;
	session->events->opened(session->owner, stream, &fields);
	stream = find(session, id);
	if (stream && flags & FLAG_FIN)
		remote_done(stream);
	return 0;
}

static int on_headers(struct spdy *session, const unsigned char *payload, size_t length,
		      struct error *err)
{
	cleanup_strings struct strings fields = { 0 };

	if (length < 4)
		return protocol_error(session, err, "HEADERS without a stream");
	return read_headers(session, payload + 4, length - 4, &fields, err);
}

static int on_rst_stream(struct spdy *session, const unsigned char *payload, size_t length,
			 struct error *err)
{
	struct spdy_stream *stream;

	if (length != 8)
		return protocol_error(session, err, "RST_STREAM of a wrong size");
	stream = find(session, get32(payload) & ID_MASK);
	if (stream)
		remove_stream(stream, true);
	return 0;
}

/* The client's windows for streams get another size. */
static void set_initial_window(struct spdy *session, uint32_t size)
{
	int64_t change = (int64_t)size - session->initial_send_window;

	session->initial_send_window = size;
	for (struct spdy_stream *stream = session->streams; stream; stream = stream->next)
		stream->send_window += change;
}

static int on_settings(struct spdy *session, const unsigned char *payload, size_t length,
		       struct error *err)
{
	size_t count = length < 4 ? 0 : get32(payload);

	if (length < 4 || (length - 4) / SPDY_SETTING_SIZE != count ||
	    (length - 4) % SPDY_SETTING_SIZE != 0)
		return protocol_error(session, err, "SETTINGS of a wrong size");
	session->controlled = true;
	for (size_t i = 0; i < count; i++) {
		const unsigned char *entry = payload + 4 + i * SPDY_SETTING_SIZE;
		uint32_t value = get32(entry + 4);

		if ((get32(entry) & 0xffffff) != SPDY_SETTING_WINDOW)
			continue;
		if (value > WINDOW_MAX)
			return protocol_error(session, err, "SETTINGS with a window too large");
		set_initial_window(session, value);
	}
	return 0;
}

static int on_window_update(struct spdy *session, const unsigned char *payload, size_t length,
			    struct error *err)
{
	struct spdy_stream *stream;
	uint32_t id, delta;

	if (length != 8)
		return protocol_error(session, err, "WINDOW_UPDATE of a wrong size");
	id = get32(payload) & ID_MASK;
	delta = get32(payload + 4) & ID_MASK;
	session->controlled = true;
	if (id == 0) {
		session->send_window += delta;
		return session->send_window > WINDOW_MAX
			       ? protocol_error(session, err, "a session window too large")
			       : 0;
	}
	stream = find(session, id);
	if (!stream)
		return 0;
	stream->send_window += delta;
	if (stream->send_window > WINDOW_MAX)
		spdy_reset(stream, SPDY_FLOW_CONTROL_ERROR);
	return 0;
}

static int on_ping(struct spdy *session, const unsigned char *payload, size_t length,
		   struct error *err)
{
	if (length != 4)
		return protocol_error(session, err, "PING of a wrong size");
	if (get32(payload) % 2 == 0) /* would be an answer to one of ours */
		return 0;
	spdy_put_control(&session->out, SPDY_PING, 4);
	spdy_put32(&session->out, get32(payload));
	return 0;
}

static int on_control(struct spdy *session, struct error *err)
{
	const unsigned char *header = buffer_data(&session->frame);
	const unsigned char *payload = header + HEADER_SIZE;
	size_t length = buffer_length(&session->frame) - HEADER_SIZE;

	switch (get32(header) & 0xffff) {
	case SPDY_SYN_STREAM:
		return on_syn_stream(session, header[4], payload, length, err);
	case SPDY_SYN_REPLY:
		return protocol_error(session, err, "SYN_REPLY, though we open no streams");
	case SPDY_RST_STREAM:
		return on_rst_stream(session, payload, length, err);
	case SPDY_SETTINGS:
		return on_settings(session, payload, length, err);
	case SPDY_PING:
		return on_ping(session, payload, length, err);
	case SPDY_HEADERS:
		return on_headers(session, payload, length, err);
	case SPDY_WINDOW_UPDATE:
		return on_window_update(session, payload, length, err);
	default: /* 2.2.1: of other types nothing is wanted */
		return 0;
	}
}

/* A frame's header is there: look what it begins. */
static int begin_frame(struct spdy *session, struct error *err)
{
	const unsigned char *header = buffer_data(&session->frame);
	size_t length = get32(header + 4) & 0xffffff;

	if (header[0] & 0x80) {
		if ((get32(header) >> 16 & 0x7fff) != SPDY_VERSION)
			return protocol_error(session, err, "another version");
		if (length > SPDY_CONTROL_MAX)
			return protocol_error(session, err, "a control frame too long");
		return 0;
	}
	session->data_id = get32(header) & ID_MASK;
	session->data_left = length;
	session->data_fin = header[4] & FLAG_FIN;
	session->in_data = true;
	buffer_consume(&session->frame, HEADER_SIZE);
	if (session->data_id == 0 || session->data_id > session->last_id)
		return protocol_error(session, err, "data of a stream that was never opened");
	return 0;
}

static void end_data(struct spdy *session)
{
	struct spdy_stream *stream = find(session, session->data_id);

	session->in_data = false;
	if (stream && session->data_fin && !stream->remote_done)
		remote_done(stream);
}

static void take_data(struct spdy *session, const unsigned char *data, size_t length)
{
	struct spdy_stream *stream = find(session, session->data_id);

	session->data_left -= length;
	if (stream && !stream->remote_done)
		session->events->data(session->owner, stream, data, length);
	else /* it was on its way when we ended the stream */
		spdy_consumed(session, NULL, length);
	if (session->data_left == 0)
		end_data(session);
}

/* Move bytes into `frame` until it holds `size`; returns how many. */
static size_t collect(struct spdy *session, const unsigned char *data, size_t length, size_t size)
{
	size_t missing = size - buffer_length(&session->frame);
	size_t take = length < missing ? length : missing;

	buffer_append(&session->frame, data, take);
	return take;
}

/* Take a part of a header or of a control frame; *used of the bytes. */
static int take_control(struct spdy *session, const unsigned char *data, size_t length,
			size_t *used, struct error *err)
{
	*used = 0;
	if (buffer_length(&session->frame) < HEADER_SIZE) {
		*used = collect(session, data, length, HEADER_SIZE);
		if (buffer_length(&session->frame) < HEADER_SIZE)
			return 0;
		if (begin_frame(session, err) < 0)
			return -1;
		if (session->in_data) {
			if (session->data_left == 0)
				end_data(session);
			return 0;
		}
	}

	size_t size = HEADER_SIZE + (get32(buffer_data(&session->frame) + 4) & 0xffffff);
	*used += collect(session, data + *used, length - *used, size);
	if (buffer_length(&session->frame) < size)
		return 0;
	if (on_control(session, err) < 0)
		return -1;
	buffer_consume(&session->frame, size);
	return 0;
}

int spdy_receive(struct spdy *session, const void *data, size_t length, struct error *err)
{
	const unsigned char *at = data;

	while (length > 0) {
		size_t used;

		if (session->in_data) {
			used = length < session->data_left ? length : session->data_left;
			take_data(session, at, used);
		} else if (take_control(session, at, length, &used, err) < 0) {
			return -1;
		}
		at += used;
		length -= used;
	}
	return 0;
}

/* ---- what the owner does ---- */

struct spdy *spdy_new(const struct spdy_events *events, void *owner, struct error *err)
{
	struct spdy *session = xcalloc(1, sizeof *session);

	if (spdy_headers_init(&session->headers, err) < 0) {
		free(session);
		return NULL;
	}
	session->events = events;
	session->owner = owner;
	session->send_window = session->initial_send_window = INITIAL_WINDOW;
	spdy_put_settings(&session->out, SPDY_STREAMS_MAX, SPDY_WINDOW);
	spdy_put_window_update(&session->out, 0, SPDY_SESSION_WINDOW - INITIAL_WINDOW);
	return session;
}

void spdy_free(struct spdy *session)
{
	struct spdy_stream *next;

	if (!session)
		return;
	for (struct spdy_stream *stream = session->streams; stream; stream = next) {
		next = stream->next;
		free(stream);
	}
	spdy_headers_free(&session->headers);
	buffer_free(&session->frame);
	buffer_free(&session->out);
	free(session);
}

struct buffer *spdy_output(struct spdy *session)
{
	return &session->out;
}

void spdy_accept(struct spdy_stream *stream)
{
	struct spdy *session = stream->session;
	cleanup_buffer struct buffer block = { 0 };

	if (stream->local_done) /* it was opened for one direction alone */
		return;
	spdy_headers_write_reply(&session->headers, &block);
	spdy_put_control(&session->out, SPDY_SYN_REPLY, 4 + buffer_length(&block));
	spdy_put32(&session->out, stream->id);
	buffer_append(&session->out, buffer_data(&block), buffer_length(&block));
}

static size_t positive(int64_t number)
{
	return number > 0 ? (size_t)number : 0;
}

size_t spdy_room(const struct spdy_stream *stream)
{
	const struct spdy *session = stream->session;
	size_t stream_room = positive(stream->send_window);
	size_t session_room = positive(session->send_window);

	if (stream->local_done)
		return 0;
	if (!session->controlled)
		return SIZE_MAX;
	return stream_room < session_room ? stream_room : session_room;
}

void spdy_send(struct spdy_stream *stream, const void *data, size_t length)
{
	struct spdy *session = stream->session;
	const unsigned char *at = data;

	if (stream->local_done)
		return;
	session->send_window -= (int64_t)length;
	stream->send_window -= (int64_t)length;
	while (length > 0) {
		size_t part = length < SPDY_DATA_MAX ? length : SPDY_DATA_MAX;

		spdy_put32(&session->out, stream->id);
		spdy_put32(&session->out, (uint32_t)part);
		buffer_append(&session->out, at, part);
		at += part;
		length -= part;
	}
	/* a client that keeps to no windows never enlarges them: begin anew if it ever does */
	if (!session->controlled) {
		session->send_window = INITIAL_WINDOW;
		stream->send_window = INITIAL_WINDOW;
	}
}

void spdy_finish(struct spdy_stream *stream)
{
	if (stream->local_done)
		return;
	spdy_put32(&stream->session->out, stream->id);
	spdy_put32(&stream->session->out, (uint32_t)FLAG_FIN << 24);
	stream->local_done = true;
	remove_if_over(stream);
}

void spdy_reset(struct spdy_stream *stream, enum spdy_reason reason)
{
	spdy_put_reset(&stream->session->out, stream->id, reason);
	remove_stream(stream, true);
}

/* Add to what is not credited; say so when it is half a window. */
static void credit(struct spdy *session, uint32_t id, size_t *uncredited, size_t length,
		   size_t window)
{
	*uncredited += length;
	if (*uncredited < window / 2)
		return;
	spdy_put_window_update(&session->out, id, *uncredited);
	*uncredited = 0;
}

void spdy_consumed(struct spdy *session, struct spdy_stream *stream, size_t length)
{
	credit(session, 0, &session->uncredited, length, SPDY_SESSION_WINDOW);
	if (stream && !stream->remote_done)
		credit(session, stream->id, &stream->uncredited, length, SPDY_WINDOW);
}

void spdy_go_away(struct spdy *session)
{
	spdy_put_go_away(&session->out, session->last_id, GOAWAY_OK);
}
