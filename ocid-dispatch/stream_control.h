/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two processes of a streaming connection say to each other, over a socket pair that keeps
 * messages apart. The worker (ocid-dispatch/stream/) reads the client's bytes and may do nothing
 * else; the session (ocid-dispatch/stream_session.c) looks up tokens, runs the command, connects
 * to ports, and hands the worker descriptors. Each request gets one reply, in order; STREAM_EXITED
 * comes by itself.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	STREAM_TOKEN_SIZE = 65, /* 64 lower-case hex digits and a NUL */
	STREAM_PORTS_MAX = 64,
	STREAM_FDS_MAX = 4,
};

enum stream_kind { STREAM_EXEC, STREAM_ATTACH, STREAM_PORT_FORWARD };

enum stream_verb {
	STREAM_TAKE,	/* request: kind, token; reply: what was asked for with it */
	STREAM_START,	/* reply: descriptors for stdin, stdout, stderr, resize: those asked for */
	STREAM_CONNECT, /* request: port, ipv6; reply: a socket that may still be connecting */
	STREAM_EXITED,	/* reply alone: the command has ended */
};

struct stream_request {
	enum stream_verb verb;
	enum stream_kind kind;
	uint32_t number; /* of a STREAM_CONNECT, for its reply */
	uint16_t port;
	bool ipv6;
	char token[STREAM_TOKEN_SIZE];
};

struct stream_reply {
	enum stream_verb verb;
	uint32_t number;
	enum error_kind failed; /* 0: done; else with `message` */
	char message[768];
	bool has_stdin, has_stdout, has_stderr, tty;
	uint16_t ports[STREAM_PORTS_MAX];
	uint32_t port_count;
	int32_t status; /* exit status, or 128 + signal */
};

/* Send one message, with descriptors, which stay the caller's. */
int stream_control_send(int fd, const void *message, size_t length, const int *fds, size_t count,
			struct error *err);

/* Receive one message of exactly `length` bytes, with at most STREAM_FDS_MAX descriptors, which
 * are the caller's. Returns 1, 0 when the other side is gone, -1. */
int stream_control_receive(int fd, void *message, size_t length, int fds[static STREAM_FDS_MAX],
			   size_t *count, struct error *err);
