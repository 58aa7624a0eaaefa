/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* proc_pid_stat(5) */
enum { STAT_MAX = 4096, FIELD_NAME = 2, FIELD_THREADS = 20, FIELD_START = 22 };

/* The number in a field; `at` is the end of FIELD_NAME. */
static long long field(const char *at, int number)
{
	for (int i = FIELD_NAME; at && i < number; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoll(at, NULL, 10) : 0;
}

/* One whose first thread has ended is called a zombie, too, while its others go on. */
static bool has_ended(const char *at)
{
	char state = strlen(at) < sizeof ") S" - 1 ? 'X' : at[2];

	return state == 'X' || (state == 'Z' && field(at, FIELD_THREADS) <= 1);
}

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

	if (!at || has_ended(at))
		return 0;
	*start = field(at, FIELD_START);
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
