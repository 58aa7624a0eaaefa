/* SPDX-License-Identifier: Apache-2.0 */
/* The unix socket of a server: mode 0600, one server at a time, a dead one's socket is replaced. */
#pragma once
#include "lib/error.h"

struct listener {
	int fd; /* listens, non-blocking */
	int dir_fd, lock_fd;
	char *name; /* in dir_fd */
};

/* ERROR_IN_USE when a live server listens at `path`, ERROR_EXISTS when that is no socket. */
int listener_open(const char *path, struct listener *listener, struct error *err);

/* Close it and remove the socket. */
void listener_close(struct listener *listener);
