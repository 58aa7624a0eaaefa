/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups, of both versions, as far as they can be seen. */
#pragma once
#include <stdbool.h>

/* Whether swap can be limited. In v2 where the kernel cannot, runtimes take no offence. */
bool cgroup_limits_swap(void);

/* Where the cgroup of a line `N:CONTROLLERS:PATH` of /proc/PID/cgroup (cgroups(7)) is; NULL where
 * that cannot be seen. The caller frees it. */
char *cgroup_directory(const char *line);

/* Called some milliseconds before a runtime moves a process into a cgroup. The kernel moves
 * processes under a lock for which the first to take it waits until every CPU has noticed, some
 * milliseconds, and who comes in the next ones only for the rest of them. We go first, by moving
 * ourselves to where we are, in a thread. Where that is not possible nothing is lost but the time.
 */
void cgroup_expect_move(void);
