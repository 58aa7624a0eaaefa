/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/http2.h"

#include "ocid-dispatch/frames.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum {
	STREAM_WINDOW = 1 << 20,     /* bytes a peer may send on a stream before we read them */
	CONNECTION_WINDOW = 4 << 20, /* and on all streams together */
	FIELD_OVERHEAD = 32,	     /* RFC 9113, 6.5.2 */
	FIELDS_MAX = 8,
};

struct http2 {
	nghttp2_session *nghttp2;
	const struct http2_events *events;
	struct http2_limits *limits;
	void *owner;
	struct http2_stream *streams;
	struct frames frames;
	bool greeted;
};

/* ---- streams ---- */

static struct http2_stream *stream_new(struct http2 *session, int32_t id)
{
	struct http2_stream *stream = xcalloc(1, sizeof *stream);

	stream->session = session;
	stream->id = id;
	stream->next = session->streams;
	if (stream->next)
		stream->next->previous = stream;
	session->streams = stream;
	return stream;
}

static void stream_free(struct http2_stream *stream)
{
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		stream->session->streams = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	http2_drop_body(stream);
	buffer_free(&stream->out);
	strings_free(&stream->trailers);
	free(stream->method);
	free(stream->path);
	free(stream->content_type);
	free(stream->grpc_timeout);
	free(stream);
}

void http2_drop_body(struct http2_stream *stream)
{
	stream->session->limits->bodies_left += buffer_length(&stream->body);
	buffer_free(&stream->body);
}

static struct http2_stream *stream_of(nghttp2_session *nghttp2, int32_t id)
{
	return nghttp2_session_get_stream_user_data(nghttp2, id);
}

/* Report the request once, whole or beyond a limit. */
static void report(struct http2_stream *stream)
{
	if (stream->reported)
		return;
	stream->reported = true;
	stream->session->events->request(stream->session->owner, stream);
}

/* ---- what nghttp2 calls on the way in ---- */

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
	struct http2 *session = user;

	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(nghttp2, frame->hd.stream_id,
						     stream_new(session, frame->hd.stream_id));
	return 0;
}

/* Where a header's value is kept; NULL for one that nobody asks for. */
static char **slot_of(struct http2_stream *stream, const char *name)
{
	struct {
		const char *name;
		char **slot;
	} slots[] = {
		{ ":method", &stream->method },
		{ ":path", &stream->path },
		{ "content-type", &stream->content_type },
		{ "grpc-timeout", &stream->grpc_timeout },
	};

	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
		if (strcmp(slots[i].name, name) == 0)
			return slots[i].slot;
	return NULL;
}

/* The stream ends; what is still said of it is not heard. */
static void refuse(struct http2_stream *stream)
{
	stream->malformed = true;
	nghttp2_submit_rst_stream(stream->session->nghttp2, NGHTTP2_FLAG_NONE, stream->id,
				  NGHTTP2_PROTOCOL_ERROR);
}

static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
		     void *user)
{
	struct http2_stream *stream = stream_of(nghttp2, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (!stream || stream->malformed || stream->too_many)
		return 0;
	stream->headers_length += (uint32_t)(name_length + value_length + FIELD_OVERHEAD);
	if (stream->headers_length > HTTP2_HEADERS_MAX) {
		stream->too_many = true;
		return 0;
	}
	if (!fields_take(&stream->fields, name, name_length, value, value_length)) {
		refuse(stream);
		return 0;
	}

	char **slot = slot_of(stream, (const char *)name);
	if (slot && !*slot)
		*slot = xstrndup((const char *)value, value_length);
	return 0;
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t length, void *user)
{
	struct http2_stream *stream = stream_of(nghttp2, id);
	struct http2 *session = user;
	struct http2_limits *limits = session->limits;

	(void)flags;
	if (!stream || stream->malformed || stream->too_long || stream->ended)
		return 0;
	if (length > limits->bodies_left ||
	    buffer_length(&stream->body) + length > limits->body_max) {
		http2_drop_body(stream);
		stream->too_long = true;
		report(stream);
		return 0;
	}
	buffer_append(&stream->body, data, length);
	limits->bodies_left -= length;
	return 0;
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
	struct http2 *session = user;
	struct http2_stream *stream;

	if (frame->hd.type == NGHTTP2_SETTINGS)
		session->greeted = true;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	stream = stream_of(nghttp2, frame->hd.stream_id);
	if (!stream || stream->malformed)
		return 0;
	bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	if (frame->hd.type == NGHTTP2_HEADERS) {
		/* a second block of fields are trailers */
		bool is_first = frame->headers.cat == NGHTTP2_HCAT_REQUEST;

		if ((!stream->too_many && !fields_are_complete(&stream->fields)) ||
		    (!is_first && !is_last)) {
			refuse(stream);
			return 0;
		}
		if (is_first)
			session->events->opened(session->owner, stream);
	}
	if (is_last || stream->too_many)
		report(stream);
	return 0;
}

static int on_stream_close(nghttp2_session *nghttp2, int32_t id, uint32_t code, void *user)
{
	struct http2_stream *stream = stream_of(nghttp2, id);
	struct http2 *session = user;

	(void)code;
	if (!stream)
		return 0;
	nghttp2_session_set_stream_user_data(nghttp2, id, NULL);
	session->events->closed(session->owner, stream);
	stream_free(stream);
	return 0;
}

/* ---- and on the way out ---- */

/* An answer that comes before the end of the request ends the stream (RFC 9113, 8.1). */
static int on_frame_sent(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
	(void)user;
	if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    nghttp2_session_get_stream_remote_close(nghttp2, frame->hd.stream_id) == 0)
		nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
					  NGHTTP2_NO_ERROR);
	return 0;
}

static size_t fill_fields(nghttp2_nv pairs[FIELDS_MAX], const struct http2_field *fields,
			  size_t count)
{
	if (count > FIELDS_MAX)
		count = FIELDS_MAX;
	for (size_t i = 0; i < count; i++)
		pairs[i] = (nghttp2_nv){
			.name = (uint8_t *)fields[i].name,
			.namelen = strlen(fields[i].name),
			.value = (uint8_t *)fields[i].value,
			.valuelen = strlen(fields[i].value),
		};
	return count;
}

static int submit_trailers(struct http2_stream *stream)
{
	struct http2_field fields[FIELDS_MAX];
	nghttp2_nv pairs[FIELDS_MAX];
	size_t count = stream->trailers.count / 2;

	for (size_t i = 0; i < count; i++)
		fields[i] = (struct http2_field){ stream->trailers.items[2 * i],
						  stream->trailers.items[2 * i + 1] };
	count = fill_fields(pairs, fields, count);
	return nghttp2_submit_trailer(stream->session->nghttp2, stream->id, pairs, count);
}

static ssize_t read_out(nghttp2_session *nghttp2, int32_t id, uint8_t *data, size_t room,
			uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct http2_stream *stream = source->ptr;
	struct http2 *session = user;
	size_t queued = buffer_length(&stream->out), length = queued < room ? queued : room;

	(void)nghttp2;
	(void)id;
	memcpy(data, buffer_data(&stream->out), length);
	buffer_consume(&stream->out, length);
	if (queued >= HTTP2_QUEUE_LOW && queued - length < HTTP2_QUEUE_LOW)
		session->events->drained(session->owner, stream);
	if (buffer_length(&stream->out) > 0)
		return (ssize_t)length;
	if (stream->ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		return submit_trailers(stream) == 0 ? (ssize_t)length
						    : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (length > 0)
		return (ssize_t)length;
	stream->deferred = true;
	return NGHTTP2_ERR_DEFERRED;
}

static void resume(struct http2_stream *stream)
{
	if (!stream->deferred)
		return;
	stream->deferred = false;
	nghttp2_session_resume_data(stream->session->nghttp2, stream->id);
}

void http2_respond(struct http2_stream *stream, const struct http2_field *fields, size_t count,
		   bool end)
{
	nghttp2_data_provider provider = { .source.ptr = stream, .read_callback = read_out };
	nghttp2_nv pairs[FIELDS_MAX];

	if (stream->responded)
		return;
	stream->responded = true;
	stream->ended = end;
	count = fill_fields(pairs, fields, count);
	nghttp2_submit_response(stream->session->nghttp2, stream->id, pairs, count,
				end ? NULL : &provider);
}

void http2_send(struct http2_stream *stream, const void *data, size_t length)
{
	buffer_append(&stream->out, data, length);
	resume(stream);
}

void http2_end(struct http2_stream *stream, const struct http2_field *trailers, size_t count)
{
	if (stream->ended)
		return;
	for (size_t i = 0; i < count; i++) {
		strings_add(&stream->trailers, trailers[i].name);
		strings_add(&stream->trailers, trailers[i].value);
	}
	stream->ended = true;
	resume(stream);
}

size_t http2_queued(const struct http2_stream *stream)
{
	return buffer_length(&stream->out);
}

/* ---- the session ---- */

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
}

static void submit_settings(nghttp2_session *nghttp2)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEADERS_MAX },
	};

	nghttp2_submit_settings(nghttp2, NGHTTP2_FLAG_NONE, settings,
				sizeof settings / sizeof *settings);
	nghttp2_session_set_local_window_size(nghttp2, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
}

struct http2 *http2_new(const struct http2_events *events, struct http2_limits *limits, void *owner)
{
	struct http2 *session = xcalloc(1, sizeof *session);
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;

	session->events = events;
	session->limits = limits;
	session->owner = owner;
	session->frames.left = FRAMES_PREFACE;
	/* these fail for lack of memory only, as xcalloc() does */
	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
		abort();
	set_callbacks(callbacks);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_no_http_messaging(option, 1); /* ocid-dispatch/fields.h */
	if (nghttp2_session_server_new2(&session->nghttp2, callbacks, session, option) != 0)
		abort();
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	submit_settings(session->nghttp2);
	return session;
}

void http2_free(struct http2 *session)
{
	struct http2_stream *next;

	for (struct http2_stream *stream = session->streams; stream; stream = next) {
		next = stream->next;
		session->events->closed(session->owner, stream);
		stream_free(stream);
	}
	nghttp2_session_del(session->nghttp2);
	free(session);
}

int http2_receive(struct http2 *session, const void *data, size_t length, struct error *err)
{
	const unsigned char *at = data;
	struct frame_piece piece;

	while (frames_next(&session->frames, &at, &length, &piece)) {
		if (piece.reset > nghttp2_session_get_last_proc_stream_id(session->nghttp2))
			continue;
		ssize_t taken =
			nghttp2_session_mem_recv(session->nghttp2, piece.data, piece.length);
		if (taken < 0)
			return error_set(err, ERROR_INTEGRITY, "the peer does not speak HTTP/2: %s",
					 nghttp2_strerror((int)taken));
	}
	return 0;
}

int http2_output(struct http2 *session, struct buffer *out, size_t enough, struct error *err)
{
	while (buffer_length(out) < enough) {
		const uint8_t *data;
		ssize_t length = nghttp2_session_mem_send(session->nghttp2, &data);

		if (length < 0)
			return error_set(err, ERROR_FAILED, "HTTP/2: %s",
					 nghttp2_strerror((int)length));
		if (length == 0)
			break;
		buffer_append(out, data, (size_t)length);
	}
	return 0;
}

bool http2_is_greeted(const struct http2 *session)
{
	return session->greeted;
}

bool http2_is_over(const struct http2 *session)
{
	return !nghttp2_session_want_read(session->nghttp2) &&
	       !nghttp2_session_want_write(session->nghttp2);
}

void http2_go_away(struct http2 *session)
{
	int32_t last = nghttp2_session_get_last_proc_stream_id(session->nghttp2);

	nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
}
