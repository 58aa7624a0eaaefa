/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that `exec` runs, as the runtime specification describes one: the container's own
 * from its config.json with what is asked for. Runtimes differ in what their options for that mean.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;

struct exec_request {
	struct strings env;
	const char *cwd, *user; /* NULL: the container's */
	bool tty;
};

/* A usage error unless it makes sense. */
int exec_request_check(const struct cli *cli, const struct exec_request *request,
		       struct error *err);

/* The process for a container with those facts (state.json). args ends with NULL. The caller owns
 * it. */
json_t *exec_process(const json_t *facts, const struct exec_request *request,
		     const char *const *args, struct error *err);
