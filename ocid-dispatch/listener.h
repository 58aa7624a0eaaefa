/* SPDX-License-Identifier: Apache-2.0 */
/* The unix socket of a server: mode 0600, one server at a time, a dead one's socket is replaced. */
#pragma once
#include "lib/error.h"

struct listener {
	int fd; /* listens, non-blocking; -1 when it was stopped */
	int dir_fd, lock_fd;
	char *name; /* in dir_fd */
};

/* ERROR_IN_USE when a live server listens at `path`, ERROR_EXISTS when that is no socket. */
int listener_open(const char *path, struct listener *listener, struct error *err);

/* Remove the socket: who connects now is refused. No other server can listen there yet. */
void listener_stop(struct listener *listener);

/* The same, if that was not done, and leave the place to others. */
void listener_close(struct listener *listener);
