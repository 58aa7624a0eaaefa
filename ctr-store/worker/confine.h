/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confinement of the worker, for good, before it reads a byte from outside. The worker needs Linux
 * 5.9. In order:
 *
 *   1. own mount, network, IPC and UTS namespaces; the mounts are private
 *   2. the target directory, mounted nosuid, nodev and noexec, becomes the root; the old root is
 *      detached. Descriptors that are open already stay usable
 *   3. resource limits: no core files, no file larger than `file_size_max`, 512 MiB of memory
 *   4. capabilities: what is needed for the work, in all sets and in the bounding set
 *   5. no_new_privs
 *   6. Landlock (Linux 5.19 and later): writing only beneath the root, executing nothing, no TCP,
 *      no abstract sockets, no signals to others; this also forbids any further mounting
 *   7. seccomp: neither signals to others nor their memory, whatever Landlock knows
 *
 * Landlock leaves reading alone: nothing but the root can be reached, and the directory with the
 * lower layers, whose descriptor arrives later, has to be read.
 */
#pragma once
#include "lib/error.h"

/* Steps 1 to 3; a process that is forked after it shares the namespaces. The working directory
 * is the root then. Needs CAP_SYS_ADMIN: ERROR_DENIED otherwise. */
int confine_enter(int dir_fd, long long file_size_max, struct error *err);

enum confine_work {
	CONFINE_MAKE_FILES, /* of any owner, mode and kind */
	CONFINE_MARK,	    /* keeps CAP_SYS_ADMIN, for trusted.* attributes (marker.h) */
	CONFINE_READ	    /* whoever may read a file of the lower layers */
};

/* Steps 4 to 7. */
int confine_drop(enum confine_work work, struct error *err);
