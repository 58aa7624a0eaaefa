/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/criu.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_MS = 30000, LOG_MAX = 16 << 20 };

int criu_check(struct error *err)
{
	static const char *const argv[] = { "criu", "check", NULL };
	const struct spawn spawn = { .argv = argv, .timeout_ms = CHECK_MS };
	cleanup_spawn_result struct spawn_result result = { 0 };

	if (spawn_run(&spawn, &result, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		error_set(err, ERROR_UNSUPPORTED, "checkpoint and restore need CRIU");
		return error_hint(err, "install the package criu");
	}
	if (result.status == 0)
		return 0;

	cleanup_free char *words = spawn_last_line(result.err);
	error_set(err, ERROR_UNSUPPORTED, "CRIU cannot work here: %s", words);
	return error_hint(err, "see criu check");
}

char *criu_last_error(const char *directory)
{
	static const char mark[] = "Error (";
	cleanup_free char *path = xasprintf("%s/dump.log", directory);
	struct error ignored;
	size_t length;
	cleanup_free char *log = file_read_at(AT_FDCWD, path, LOG_MAX, &length, &ignored);
	const char *found = NULL;

	for (const char *at = log; at && (at = strstr(at, mark)); at += sizeof mark - 1)
		found = at;
	return found ? xasprintf("%.*s", (int)strcspn(found, "\n"), found) : NULL;
}
