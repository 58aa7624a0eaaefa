/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that cooperating processes share: open file description locks (fcntl(2)) on one file per
 * object below RUNROOT/locks (DESIGN 4). A lock goes with its descriptor, so with its process.
 * Shared to use, exclusive to change. Order, where several are held: image, layer, container.
 * Never held across the network or while a container runs.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/* Take the lock `KIND-ID` in the directory locks_fd; wait for it, or fail at once with
 * ERROR_IN_USE. Returns a descriptor whose close releases it. id may be a digest. */
int lock_take(int locks_fd, const char *kind, const char *id, enum lock_mode mode, bool wait,
	      struct error *err);

/* The same for the file `name` of any directory; `what` names it in errors. The file is made when
 * it is not there, and is the one of that name once it is locked. */
int lock_open(int dir_fd, const char *name, enum lock_mode mode, bool wait, const char *what,
	      struct error *err);

/* Lock an open file as a whole; the same errors. */
int lock_file(int fd, enum lock_mode mode, bool wait, const char *what, struct error *err);

/* Lock one byte of it, which need not be there: for a file that stands for several locks. Each
 * takes a descriptor of its own opening. */
int lock_byte(int fd, int byte, enum lock_mode mode, bool wait, const char *what,
	      struct error *err);

/* Release a lock though a process that was given its descriptor goes on, and close it; *fd becomes
 * -1. Keeps errno. */
void lock_release(int *fd);
#define cleanup_lock __attribute__((cleanup(lock_release)))

/* Remove the lock file of an object that is gone; the caller holds it exclusively. */
void lock_discard(int locks_fd, const char *kind, const char *id);
