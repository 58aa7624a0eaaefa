/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs `pause` and `resume`. */
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/runtime.h"

#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/store.h"

/* Run the verb on a container that has the status `from`, and print it. */
static int change(const struct cli *cli, enum container_status from, struct error *err)
{
	const char *id = cli->operands[0];
	const char *const words[] = { cli->verb, id, NULL };
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;

	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = container_open_locked(&store, id, &container, err);
	if (lock < 0)
		return -1;

	enum container_status status = container_status(&container);
	if (status == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped", id);
	if (status != from)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not %s", id,
				 container_status_name(status), container_status_name(from));
	if (runtime_run(&store, container.facts, lock, words, NULL, err) < 0)
		return -1;

	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

static int run_pause(const struct cli *cli, struct error *err)
{
	return change(cli, CONTAINER_RUNNING, err);
}

static int run_resume(const struct cli *cli, struct error *err)
{
	return change(cli, CONTAINER_PAUSED, err);
}

const struct cli_command pause_command = {
	.name = "pause",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "freeze all processes of a running container",
	.run = run_pause,
};

const struct cli_command resume_command = {
	.name = "resume",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "let a paused container go on",
	.run = run_resume,
};
