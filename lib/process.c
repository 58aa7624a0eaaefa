/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_MAX = 4096, FIELD_NAME = 2, FIELD_START = 22 }; /* proc_pid_stat(5) */

/* 1 with the time; 0: there is none, or only waits for its parent; -1: that cannot be told. */
static int read_start_time(pid_t pid, long long *start, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/stat", (int)pid);
	struct error failure;
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, STAT_MAX, &length, &failure);

	if (!text && failure.kind != ERROR_NOT_FOUND) {
		*err = failure;
		return -1;
	}
	/* the name of the program, in parentheses, may hold anything */
	const char *at = text ? strrchr(text, ')') : NULL;

	if (!at || strlen(at) < sizeof ") S" - 1 || strchr("ZX", at[2]))
		return 0;
	for (int field = FIELD_NAME; at && field < FIELD_START; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	*start = at ? strtoll(at, NULL, 10) : 0;
	return *start > 0;
}

long long process_start_time(pid_t pid)
{
	struct error ignored;
	long long start;

	return read_start_time(pid, &start, &ignored) > 0 ? start : 0;
}

int process_lives(pid_t pid, long long start, struct error *err)
{
	long long found;

	if (pid <= 1 || start <= 0)
		return 0;
	int status = read_start_time(pid, &found, err);
	return status > 0 ? found == start : status;
}
