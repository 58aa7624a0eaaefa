/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which protocols a request for an upgrade leads to, and what is answered. No I/O.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/stream/http1.h"
#include "ocid-dispatch/stream_control.h"

#include <stdbool.h>

enum handshake_carrier {
	HANDSHAKE_SPDY,
	HANDSHAKE_TUNNEL, /* SPDY in a WebSocket */
	HANDSHAKE_BINARY, /* numbered channels in a WebSocket */
	HANDSHAKE_BASE64,
};

struct handshake {
	enum stream_kind kind;
	char token[STREAM_TOKEN_SIZE];
	enum handshake_carrier carrier;
	unsigned version; /* of the stream protocol */
	char *response;	  /* the head that switches protocols; the caller frees it */
};

/* Fill the handshake. -1: *refusal is the whole response instead, which the caller frees. */
int handshake_decide(const struct http1_request *request, struct handshake *handshake,
		     char **refusal);

/* A whole response that says `text`; the caller frees it. `headers` are more lines, or "". */
char *handshake_refusal(const char *status, const char *headers, const char *text);
