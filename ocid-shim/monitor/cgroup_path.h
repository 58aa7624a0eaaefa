/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <string.h>

static inline bool cgroup_path_ends(char next)
{
	return next == '/' || next == '\n' || next == '\0';
}

/* How much of the path, of a process that is in the container, is the container's own cgroup, which
 * the runtime made and whose path ends with `end`. The process may have moved to one below that by
 * now, as systemd does in a container; then `path` is longer. All of the line where it holds no
 * such end. In a scope, crun makes one more, of the same limits. */
static inline size_t cgroup_path_length(const char *path, const char *end)
{
	static const char inner[] = "/container";
	size_t length = strcspn(path, "\n"), rest = strlen(end);

	for (const char *at = path; (at = strstr(at, end)) && at < path + length; at++) {
		const char *after = at + rest;

		if (!cgroup_path_ends(*after))
			continue;
		if (*end == '-' && strncmp(after, inner, strlen(inner)) == 0 &&
		    cgroup_path_ends(after[strlen(inner)]))
			after += strlen(inner);
		return (size_t)(after - path);
	}
	return length;
}
