/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are not our children. */
#pragma once
#include <sys/types.h>

/* When a process was started, in clock ticks since boot: with its id that names it for ever. 0 when
 * there is none, or it has ended and only waits for its parent. */
long long process_start_time(pid_t pid);
