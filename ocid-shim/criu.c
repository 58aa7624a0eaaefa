/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/criu.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/spawn.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

void criu_forget(const char *directory, const char *log)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, log);

	unlink(path);
}

int criu_explain(const char *directory, const char *log, struct error *err)
{
	static const char mark[] = "Error (";
	cleanup_free char *path = xasprintf("%s/%s", directory, log);
	struct error ignored;
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, LOG_MAX, &length, &ignored);
	const char *found = NULL;

	for (const char *at = text; at && (at = strstr(at, mark)); at += sizeof mark - 1)
		found = at;
	if (found)
		error_prefix(err, "%.*s", (int)strcspn(found, "\n"), found);
	return text ? error_hint(err, "see %s", path) : -1;
}
