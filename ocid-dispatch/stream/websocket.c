/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/websocket.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-dispatch/stream/sha1.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

enum {
	KEY_SIZE = 16,	      /* bytes that a client's key stands for */
	KEY_TEXT_LENGTH = 24, /* of their base64 */
};

struct websocket {
	wslay_event_context_ptr context;
	struct buffer out;
	const unsigned char *in; /* what wslay has still to read */
	size_t in_length;
	websocket_part *part;
	void *owner;

	/* the frame that is being received */
	uint64_t left;
	bool data, final, text, first;
};

/* ---- what wslay calls ---- */

static ssize_t on_read(wslay_event_context_ptr context, uint8_t *data, size_t length, int flags,
		       void *user)
{
	struct websocket *socket = user;
	size_t take = length < socket->in_length ? length : socket->in_length;

	(void)flags;
	if (take == 0) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(data, socket->in, take);
	socket->in += take;
	socket->in_length -= take;
	return (ssize_t)take;
}

static ssize_t on_write(wslay_event_context_ptr context, const uint8_t *data, size_t length,
			int flags, void *user)
{
	struct websocket *socket = user;

	(void)context;
	(void)flags;
	buffer_append(&socket->out, data, length);
	return (ssize_t)length;
}

static void on_frame(wslay_event_context_ptr context,
		     const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
	struct websocket *socket = user;

	(void)context;
	socket->data = !wslay_is_ctrl_frame(frame->opcode);
	if (!socket->data)
		return;
	socket->left = frame->payload_length;
	socket->final = frame->fin;
	if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
		socket->text = frame->opcode == WSLAY_TEXT_FRAME;
		socket->first = true;
	}
	if (socket->left == 0) {
		socket->part(socket->owner, socket->text, socket->first, socket->final, "", 0);
		socket->first = false;
	}
}

static void on_chunk(wslay_event_context_ptr context,
		     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
	struct websocket *socket = user;

	(void)context;
	if (!socket->data || chunk->data_length == 0)
		return;
	socket->left -= chunk->data_length;
	socket->part(socket->owner, socket->text, socket->first, socket->final && socket->left == 0,
		     chunk->data, chunk->data_length);
	socket->first = false;
}

/* ---- what the owner does ---- */

struct websocket *websocket_new(websocket_part *part, void *owner, struct error *err)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_read,
		.send_callback = on_write,
		.on_frame_recv_start_callback = on_frame,
		.on_frame_recv_chunk_callback = on_chunk,
	};
	struct websocket *socket = xcalloc(1, sizeof *socket);

	socket->part = part;
	socket->owner = owner;
	if (wslay_event_context_server_init(&socket->context, &callbacks, socket) != 0) {
		free(socket);
		error_set(err, ERROR_FAILED, "wslay: out of memory");
		return NULL;
	}
	wslay_event_config_set_no_buffering(socket->context, 1);
	wslay_event_config_set_max_recv_msg_length(socket->context, INT64_MAX);
	return socket;
}

void websocket_free(struct websocket *socket)
{
	if (!socket)
		return;
	wslay_event_context_free(socket->context);
	buffer_free(&socket->out);
	free(socket);
}

static void write_queued(struct websocket *socket)
{
	while (wslay_event_want_write(socket->context) && wslay_event_send(socket->context) == 0)
		;
}

int websocket_receive(struct websocket *socket, const void *data, size_t length, struct error *err)
{
	int status = 0;

	socket->in = data;
	socket->in_length = length;
	while (socket->in_length > 0 && status == 0 && wslay_event_want_read(socket->context))
		status = wslay_event_recv(socket->context);
	write_queued(socket);
	if (status != 0 ||
	    (!wslay_event_get_read_enabled(socket->context) && !websocket_is_closed(socket)))
		return error_set(err, ERROR_INTEGRITY, "WebSocket: malformed frame");
	return 0;
}

void websocket_send(struct websocket *socket, bool text, const void *data, size_t length)
{
	struct wslay_event_msg message = { text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, data,
					   length };

	wslay_event_queue_msg(socket->context, &message);
	write_queued(socket);
}

void websocket_close(struct websocket *socket)
{
	wslay_event_queue_close(socket->context, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
	write_queued(socket);
}

struct buffer *websocket_output(struct websocket *socket)
{
	return &socket->out;
}

bool websocket_is_closed(const struct websocket *socket)
{
	return wslay_event_get_close_received(socket->context);
}

char *websocket_accept(const char *key)
{
	static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char decoded[KEY_TEXT_LENGTH / 4 * 3 + 3], hash[SHA1_SIZE];

	if (strlen(key) != KEY_TEXT_LENGTH ||
	    base64_decode(key, KEY_TEXT_LENGTH, decoded) != KEY_SIZE)
		return NULL;

	cleanup_free char *text = xasprintf("%s%s", key, suffix);
	sha1_short(text, strlen(text), hash);
	return base64_encode(hash, sizeof hash);
}
