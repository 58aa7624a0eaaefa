/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_MAX = 4096, FIELD_NAME = 2, FIELD_START = 22 }; /* proc_pid_stat(5) */

long long process_start_time(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/stat", (int)pid);
	struct error ignored;
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, STAT_MAX, &length, &ignored);
	/* the name of the program, in parentheses, may hold anything */
	const char *at = text ? strrchr(text, ')') : NULL;

	if (!at || strlen(at) < sizeof ") S" - 1 || strchr("ZX", at[2]))
		return 0;
	for (int field = FIELD_NAME; at && field < FIELD_START; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoll(at, NULL, 10) : 0;
}
