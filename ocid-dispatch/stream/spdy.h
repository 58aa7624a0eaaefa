/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of one SPDY/3.1 connection (draft-mbelshe-httpbis-spdy-00 and its session
 * window), as Kubernetes' clients speak it: the client opens streams. Bytes in, bytes out, no
 * sockets. Written by hand, since the protocol was given up for HTTP/2 and no maintained library
 * has it.
 *
 * Kubernetes' own clients neither heed our windows nor update theirs. So our windows are no limit
 * that a client is held to: the owner has to stop reading. A client's windows count once it has
 * sent SETTINGS or WINDOW_UPDATE.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPDY_STREAMS_MAX = 512,	     /* at a time; what is beyond them is refused */
	SPDY_CONTROL_MAX = 64 << 10, /* bytes of a control frame's payload */
	SPDY_DATA_MAX = 32 << 10,    /* bytes of a data frame that we send */
	SPDY_WINDOW = 256 << 10,     /* bytes of a stream that a client may send ahead */
	SPDY_SESSION_WINDOW = 1 << 20,
};

/* Why a stream is reset (2.6.3). */
enum spdy_reason {
	SPDY_PROTOCOL_ERROR = 1,
	SPDY_INVALID_STREAM = 2,
	SPDY_REFUSED_STREAM = 3,
	SPDY_CANCEL = 5,
	SPDY_FLOW_CONTROL_ERROR = 7,
};

struct spdy;

struct spdy_stream {
	void *user; /* the owner's */

	/* of spdy.c alone */
	struct spdy *session;
	struct spdy_stream *next;
	uint32_t id;
	int64_t send_window;
	size_t uncredited; /* bytes that were consumed and are not in a WINDOW_UPDATE yet */
	bool remote_done, local_done;
};

/* What a session tells its owner, out of any function but spdy_free(). */
struct spdy_events {
	/* A new stream; `fields` is name, value, name, value… (spdy_field()). */
	void (*opened)(void *owner, struct spdy_stream *stream, const struct strings *fields);
	void (*data)(void *owner, struct spdy_stream *stream, const void *data, size_t length);
	/* The client sends no more on it. */
	void (*ended)(void *owner, struct spdy_stream *stream);
	/* It is over in both directions, and freed after this. */
	void (*closed)(void *owner, struct spdy_stream *stream, bool reset);
};

struct spdy *spdy_new(const struct spdy_events *events, void *owner, struct error *err);
void spdy_free(struct spdy *session);

/* Take what the client sent. -1: the connection is beyond help; send what spdy_output() still has
 * and close it. */
int spdy_receive(struct spdy *session, const void *data, size_t length, struct error *err);

/* What is to be sent; the owner consumes it. */
struct buffer *spdy_output(struct spdy *session);

/* Accept a new stream. */
void spdy_accept(struct spdy_stream *stream);

/* Bytes that the client's windows allow now. */
size_t spdy_room(const struct spdy_stream *stream);

/* Send no more than spdy_room(); end our half; end both at once. */
void spdy_send(struct spdy_stream *stream, const void *data, size_t length);
void spdy_finish(struct spdy_stream *stream);
void spdy_reset(struct spdy_stream *stream, enum spdy_reason reason);

/* Bytes of a stream's data have left our memory: the client may send as many more. The stream is
 * NULL when it is over. */
void spdy_consumed(struct spdy *session, struct spdy_stream *stream, size_t length);

/* Tell the client that no more streams are taken. */
void spdy_go_away(struct spdy *session);
