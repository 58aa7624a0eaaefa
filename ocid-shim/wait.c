/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/wait.h"

#include "lib/failures.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"

#include <stdio.h>

static int unknown(const struct container *container, struct error *err)
{
	if (container_was_removed(container))
		return error_set(err, ERROR_FAILED,
				 "container %s: exit code unknown, it was removed meanwhile",
				 container->id);
	return error_set(err, ERROR_FAILED, "container %s: exit code unknown, its monitor died",
			 container->id);
}

int wait_and_print(const struct cli *cli, const struct container *container, struct error *err)
{
	json_t *exit = NULL;

	if (container_wait(container, &exit, err) < 0)
		return -1;

	bool known = exit != NULL;
	json_auto_t *row = known ? exit : json_pack("{s:n}", "code");
	json_object_set_new(row, "id", json_string(container->id));
	if (output_object(cli, row, err) < 0)
		return -1;
	return known ? 0 : unknown(container, err);
}

int wait_for_code(const struct container *container, struct error *err)
{
	json_t *exit = NULL;

	if (container_wait(container, &exit, err) < 0)
		return -1;

	json_int_t code = json_integer_value(json_object_get(exit, "code"));
	bool known = exit != NULL;
	json_decref(exit);
	if (!known)
		return unknown(container, err);
	return (int)code;
}

static int wait_for_one(const struct cli *cli, const struct store *store, const char *text,
			struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };

	return find_container(store, text, &container, err) < 0
		       ? -1
		       : wait_and_print(cli, &container, err);
}

static int run_wait(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	struct failures failures = { .cli = cli };

	if (store_open(cli, &store, err) < 0)
		return -1;
	/* a wrong id shall not be noticed only after hours of waiting for the one before */
	for (int i = 0; i < cli->operand_count; i++) {
		cleanup_container struct container container = { .dir_fd = -1 };

		if (find_container(&store, cli->operands[i], &container, err) < 0)
			return -1;
	}
	/* nor is it worth any where nobody learns what comes of it */
	for (int i = 0; i < cli->operand_count && !ferror(stdout) && failures_go_on(&failures); i++)
		if (wait_for_one(cli, &store, cli->operands[i], err) < 0)
			failures_add(&failures, err);
	return failures_end(&failures, err);
}

const struct cli_command wait_command = {
	.name = "wait",
	.operands = "ID...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "wait for containers to end; print their exit codes",
	.details =
		"Prints one object per container: id, code (128 + signal if a signal ended it),\n"
		"signal, finished.",
	.run = run_wait,
};
