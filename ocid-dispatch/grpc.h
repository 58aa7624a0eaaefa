/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gRPC puts on top of HTTP/2 (grpc/grpc, doc/PROTOCOL-HTTP2.md): message frames, the timeout
 * header, status codes and messages. No I/O.
 */
#pragma once
#include "lib/error.h"

#include <stddef.h>
#include <stdint.h>

enum grpc_status {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_ALREADY_EXISTS = 6,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_FAILED_PRECONDITION = 9,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_DATA_LOSS = 15,
};

enum {
	GRPC_PREFIX_SIZE = 5,
	GRPC_MESSAGE_MAX = 16 << 20, /* bytes of a message, either way; what kubelets allow */
};

/* A kind of error beside those of lib/error.h: a time limit within the request has passed. As exit
 * status it is that of timeout(1). */
enum { ERROR_TIMEOUT = 124 };

/* The status that stands for a kind of error. */
enum grpc_status grpc_status_of(enum error_kind kind);

/* The prefix of a message of `length` bytes. */
void grpc_prefix(unsigned char prefix[static GRPC_PREFIX_SIZE], unsigned char flags, size_t length);

/* The one message of a whole request body; it lies within the body. ERROR_INTEGRITY for anything
 * but exactly one message, ERROR_UNSUPPORTED for a compressed one. */
int grpc_only_message(const unsigned char *body, size_t length, const unsigned char **message,
		      size_t *message_length, struct error *err);

/* The milliseconds in a grpc-timeout header, rounded up; -1 when it is not one. */
int64_t grpc_timeout_ms(const char *text);

/* An error message as the grpc-message header carries it, percent-encoded and bounded. The caller
 * frees it. */
char *grpc_encode_message(const char *text);
