/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of `exec`, and those of a monitor that was killed while it made a container: all
 * children of ours, since we are their nearest subreaper. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Wait for the end of a child, until the deadline (0: none). 0, or 1 when that is over or we are
 * asked to end. */
int child_await(pid_t pid, long long deadline, struct error *err);

/* The exit status of a child that ends or has ended: its own, or 128 and the signal. */
int child_reap(pid_t pid);

/* Whether there is such a child, ended or not. */
bool child_is(pid_t pid);

/* End all children with their process groups: the runtime, the process, what is left of either. One
 * that is frozen, or waits for a device, is not waited for: it dies as soon as it can, and then is
 * the child of whoever inherits it from us. */
void children_end(void);
