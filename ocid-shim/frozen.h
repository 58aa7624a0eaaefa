/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is paused for as long as a process works on it. Another process, in a session of
 * its own, waits for the end of that one, whatever it ends by, and resumes the container then.
 */
#pragma once
#include "lib/error.h"

#include <sys/types.h>

struct cli;
struct container;
struct store;

struct frozen {
	const char *id; /* borrowed */
	pid_t guard;	/* 0: none */
	int pipe_fd;	/* its closing ends the guard's wait */
};

#define FROZEN_NONE                                                                                \
	(struct frozen)                                                                            \
	{                                                                                          \
		.pipe_fd = -1                                                                      \
	}

/* Pause it. The caller holds its lock, which keeps the guard from coming too early. */
int frozen_start(const struct cli *cli, const struct store *store,
		 const struct container *container, int lock, struct frozen *frozen,
		 struct error *err);

/* Let it go on, and wait until it does. The caller no longer holds the lock. */
int frozen_end(struct frozen *frozen, struct error *err);

void frozen_close(struct frozen *frozen);
#define cleanup_frozen __attribute__((cleanup(frozen_close)))
