/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of one WebSocket connection (RFC 6455) after its handshake, over wslay: bytes
 * in, bytes out, no sockets. Messages are given on in parts, so that their length does not matter.
 * Pings are answered, and a close.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct websocket;

/* A part of a message; `first` and `last` for the first and last one. A part may be empty. */
typedef void websocket_part(void *owner, bool text, bool first, bool last, const void *data,
			    size_t length);

struct websocket *websocket_new(websocket_part *part, void *owner, struct error *err);
void websocket_free(struct websocket *socket);

/* Take what the client sent. -1: the connection is beyond help; send what websocket_output() still
 * has and close it. */
int websocket_receive(struct websocket *socket, const void *data, size_t length, struct error *err);

/* Queue a whole message, or the close. */
void websocket_send(struct websocket *socket, bool text, const void *data, size_t length);
void websocket_close(struct websocket *socket);

/* What is to be sent; the owner consumes it. */
struct buffer *websocket_output(struct websocket *socket);

/* True when the client has sent its close: nothing more will come. */
bool websocket_is_closed(const struct websocket *socket);

/* The answer to a Sec-WebSocket-Key (4.2.2); NULL for what is not one. The caller frees it. */
char *websocket_accept(const char *key);
