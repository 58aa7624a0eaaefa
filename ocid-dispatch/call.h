/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: one for every stream, served by a forked handler process that writes its answer to a
 * pipe (ocid-dispatch/answer.h). A call outlives its stream until its handler is reaped.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/http2.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

enum { CALLS_MAX = 1024 }; /* handlers at a time */

struct call;
struct configuration;

/* What a server has of them. */
struct calls {
	int loop_fd;
	const char *root, *runroot;
	const struct configuration *configuration;
	bool trace;
	/* what handlers get back that the server has changed for itself */
	sigset_t signal_mask;
	struct rlimit open_files;
	/* of call.c alone */
	struct call *first;
	size_t running;
	bool draining;
};

/* The events of a stream (ocid-dispatch/http2.h). */
void call_opened(struct calls *calls, struct http2_stream *stream);
void call_request(struct http2_stream *stream);
void call_drained(struct http2_stream *stream);
void call_closed(struct http2_stream *stream);

/* After SIGCHLD: reap handlers that have ended. */
void calls_reap(struct calls *calls);

/* End those whose time is over. Returns the milliseconds until the next one's is, -1 for none. */
int calls_expire(struct calls *calls);

/* Ask those handlers to end that do not end by themselves, and start no more of them. */
void calls_drain(struct calls *calls);

/* Ask every handler to end, and make it within seconds. */
void calls_stop(struct calls *calls);
