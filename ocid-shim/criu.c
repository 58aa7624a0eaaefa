/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/criu.h"

#include "lib/cleanup.h"
#include "lib/spawn.h"

enum { CHECK_MS = 30000 };

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
