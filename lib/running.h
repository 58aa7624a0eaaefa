/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container runs: its monitor (ocid-shim) keeps the first byte of the file `shim.pid` in
 * RUNROOT/containers/<id>/ locked as long as it lives. What counts is the lock, since process ids
 * are used again. The second byte is for those who wait for the container's end. See lock_byte().
 */
#pragma once
#include <stdbool.h>

enum { RUNNING_MONITOR, RUNNING_WAITERS };

/* Open shim.pid for locking. The caller closes it. -1 with errno. */
int running_open(int dir_fd);

/* Whether the container of that directory has a monitor; true also where that cannot be told, for
 * want of descriptors. */
bool running_has_monitor(int dir_fd);
