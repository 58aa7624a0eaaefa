/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler process says to the server, over a pipe: messages, framed exactly as the client
 * gets them, then one frame with the status. A pipe that ends without it is a handler that died.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "ocid-dispatch/grpc.h"

#include <stdbool.h>
#include <stddef.h>

/* The handler's side: write to the pipe; errors are the server's to notice. */
int answer_message(int fd, const struct buffer *message, struct error *err);
int answer_status(int fd, enum grpc_status status, const char *text, struct error *err);

/* The server's side. Zero-initialise; free with answer_free(). */
struct answer {
	struct buffer prefix, status;
	size_t left; /* bytes of the present frame that are still to come */
	bool in_status;
	bool whole; /* the status is there: answer_result() */
};

/* Take bytes from the pipe: those that belong to messages are appended to `messages` as they are.
 * -1 for what a handler never says. */
int answer_take(struct answer *answer, const void *data, size_t length, struct buffer *messages,
		struct error *err);

/* The status and its text; the caller frees the text. */
enum grpc_status answer_result(const struct answer *answer, char **text);

void answer_free(struct answer *answer);
