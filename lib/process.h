/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are not our children. */
#pragma once
#include "lib/error.h"

#include <sys/types.h>

/* When a process was started, in clock ticks since boot: with its id that names it for ever. 0 when
 * there is none, or it has ended and only waits for its parent. */
long long process_start_time(pid_t pid);

/* Whether the process of that id still is the one that was started then. -1: that cannot be told,
 * for want of descriptors or memory; who only looks takes it to live, who would kill it does not.
 */
int process_lives(pid_t pid, long long start, struct error *err);
