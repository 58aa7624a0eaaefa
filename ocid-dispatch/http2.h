/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of one HTTP/2 connection, over nghttp2: bytes in, bytes out, no sockets. It
 * collects requests whole, and sends answers as far as the peer's windows let it.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "ocid-dispatch/fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP2_STREAMS_MAX = 1024, /* concurrent requests of one connection */
	HTTP2_HEADERS_MAX =
		32 << 10,	    /* bytes of a request's header list, counted as RFC 9113 does */
	HTTP2_QUEUE_LOW = 64 << 10, /* see `drained` */
};

struct http2;

struct http2_field {
	const char *name, *value;
};

/* One request. The strings are NULL where the request has no such header. */
struct http2_stream {
	char *method, *path, *content_type, *grpc_timeout;
	struct buffer body;
	bool too_long; /* the body went over the limit and was dropped */
	bool too_many; /* the headers went over HTTP2_HEADERS_MAX; those until then are there */
	void *user;    /* the owner's */

	/* of http2.c alone */
	struct http2 *session;
	struct http2_stream *next, *previous;
	struct buffer out;
	struct strings trailers; /* name, value, name, value… */
	int32_t id;
	uint32_t headers_length;
	struct fields fields;
	bool malformed, responded, ended, deferred, reported;
};

/* What all sessions of an owner share. */
struct http2_limits {
	size_t body_max;    /* bytes of one request body */
	size_t bodies_left; /* bytes that all bodies together may still take */
};

/* What a session tells its owner, out of http2_receive() and http2_output(). */
struct http2_events {
	void (*opened)(void *owner, struct http2_stream *stream);  /* its headers are there */
	void (*request)(void *owner, struct http2_stream *stream); /* all of it, or too_long, or
								      too_many */
	/* It is over, whoever ended it; it is freed after this. */
	void (*closed)(void *owner, struct http2_stream *stream);
	/* What is queued for the peer has fallen below HTTP2_QUEUE_LOW. */
	void (*drained)(void *owner, struct http2_stream *stream);
};

struct http2 *http2_new(const struct http2_events *events, struct http2_limits *limits,
			void *owner);

/* Ends every stream (`closed`). Not to be called out of an event. */
void http2_free(struct http2 *session);

/* Take what the peer sent. -1: the connection is beyond help; send what http2_output() still has
 * and close it. */
int http2_receive(struct http2 *session, const void *data, size_t length, struct error *err);

/* Append what is to be sent to `out`, until that holds `enough` bytes. */
int http2_output(struct http2 *session, struct buffer *out, size_t enough, struct error *err);

/* True once the peer's preface is there, with its SETTINGS (RFC 9113, 3.4). */
bool http2_is_greeted(const struct http2 *session);

/* True when neither side has anything more to say: close the connection. */
bool http2_is_over(const struct http2 *session);

/* Tell the peer to open no more streams; those there are go on. */
void http2_go_away(struct http2 *session);

/* Send the response's headers (":status" first), which end the response when `end`; then body;
 * then trailers, which end it. */
void http2_respond(struct http2_stream *stream, const struct http2_field *fields, size_t count,
		   bool end);
void http2_send(struct http2_stream *stream, const void *data, size_t length);
void http2_end(struct http2_stream *stream, const struct http2_field *trailers, size_t count);

/* Bytes that wait for the peer. */
size_t http2_queued(const struct http2_stream *stream);

/* Let go of the request's body, which then counts no more. */
void http2_drop_body(struct http2_stream *stream);
