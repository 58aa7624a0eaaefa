/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that `exec` runs, as the runtime specification describes one: the container's own
 * from its config.json with what is asked for. Runtimes differ in what their options for that mean.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>

struct cli;

struct exec_request {
	struct strings env;
	const char *cwd, *user; /* NULL: the container's */
};

/* A usage error unless it makes sense. */
int exec_request_check(const struct cli *cli, const struct exec_request *request,
		       struct error *err);

/* A memory file with the process for a container with those facts (state.json). args ends with
 * NULL. The descriptor is the caller's. */
int exec_process(const json_t *facts, const struct exec_request *request, const char *const *args,
		 struct error *err);
