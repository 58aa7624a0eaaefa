/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroups that a runtime made for a container. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* The directories of the cgroups of the container that the process is in, whose paths end so
 * (monitor/cgroup_path.h), without those that are our own too (where the runtime made none): an
 * array of paths, the caller's. */
json_t *cgroups_of(pid_t pid, const char *path_end);

/* The same of a container that is to be in that cgroup (linux.cgroupsPath), as far as they are
 * there; none unless it is an absolute path. */
json_t *cgroups_named(const char *path);

/* After the runtime's `delete`: remove those that are still there. Runtimes try for part of a
 * second and then only say in their log that a cgroup was busy; one that stays so is a warning
 * here. */
void cgroups_remove(const json_t *directories);

/* Where there is no runtime that would: remove what the container has made below them. */
void cgroups_remove_below(const json_t *directories);

/* Whether the freezer has stopped what is in them, whoever told it to; have it let that go on. */
bool cgroups_are_frozen(const json_t *directories);
void cgroups_thaw(const json_t *directories);

/* A signal to every process in them. False where there is none that could get it. */
bool cgroups_signal(const json_t *directories, int number);

/* KILL to every process in them, again until there is none or that takes too long. */
void cgroups_kill(const json_t *directories);
