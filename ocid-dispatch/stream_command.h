/* SPDX-License-Identifier: Apache-2.0 */
/* The command of a streaming connection: ocid-shim exec or attach, with pipes. */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/stream_control.h"

#include <jansson.h>
#include <sys/types.h>

struct stream_settings;
struct strings;

/* Zero-initialised there is none. */
struct stream_command {
	pid_t pid; /* 0: none, or reaped */
	int pid_fd;
};

/* The words of its command line; sizes_fd is where it gets sizes of the terminal, -1 for nowhere.
 */
void stream_command_words(enum stream_kind kind, const json_t *request, int sizes_fd,
			  struct strings *words);

/* Start it. `fds` gets our ends of what the request asks for: stdin, stdout, stderr, sizes of the
 * terminal, in that order, non-blocking; the caller's. */
int stream_command_start(struct stream_command *command, const struct stream_settings *settings,
			 enum stream_kind kind, const json_t *request,
			 int fds[static STREAM_FDS_MAX], size_t *count, struct error *err);

/* Wait for it: its exit status, or 128 + signal. */
int stream_command_reap(struct stream_command *command);

/* Its client is gone: ask it to end what it does, and make it within seconds. */
void stream_command_end(struct stream_command *command);
