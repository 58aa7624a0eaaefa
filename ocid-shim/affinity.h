/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPUs a process may run on: lists such as "0-3,8" (cpuset(7), Formats for lists). */
#pragma once
#include "lib/error.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* False where the text is no list of CPUs, or has none. */
bool affinity_parse(const char *list, cpu_set_t *cpus);

/* Set those of a process (0: ourselves, and what we start). A NULL list changes nothing. */
int affinity_set(pid_t pid, const char *list, struct error *err);
