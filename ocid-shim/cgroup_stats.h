/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel counts for a cgroup, read from its files: v1, v2, or v1 beside v2 (hybrid). */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* The usage in the cgroups of those directories (an array of paths, one for each hierarchy) with
 * the field names of the CRI's ContainerStats: {timestamp, cpu, memory, swap, io, pids}. What the
 * kernel does not count is absent. The caller owns it. */
json_t *cgroup_stats(const json_t *directories);

/* How many processes the kernel has ended there for lack of memory; 0 also where it does not say.
 */
long long cgroup_oom_kills(const json_t *directories);

/* The directories of the cgroup PATH ("/kubepods/pod1", or a systemd slice's name) in all
 * hierarchies that have it. ERROR_NOT_FOUND where none has. The caller owns the array. */
json_t *cgroup_directories(const char *path, struct error *err);
