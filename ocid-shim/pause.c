/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs `pause` and `resume`. */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/runtime.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

struct resume_settings {
	bool after_input;
};

/* Run the verb on a container that has the status `from` and is to have `to`, and print it. */
static int change(const struct cli *cli, enum container_status from, enum container_status to,
		  struct error *err)
{
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;

	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = find_container_locked(&store, cli->operands[0], &container, err);
	if (lock < 0)
		return -1;

	enum container_status status = container_status(&container);
	if (status == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped",
				 container.id);
	if (status != from)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not %s", container.id,
				 container_status_name(status), container_status_name(from));
	const char *const words[] = { cli->verb, container.id, NULL };
	/* one that was interrupted may have done it */
	if (runtime_run(&store, container.facts, lock, words, NULL, err) < 0 &&
	    container_status(&container) != to)
		return -1;

	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

static int run_pause(const struct cli *cli, struct error *err)
{
	return change(cli, CONTAINER_RUNNING, CONTAINER_PAUSED, err);
}

/* Read standard input to its end; what is in it does not matter. */
static int await_input(struct error *err)
{
	char bytes[256];
	ssize_t got;

	while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) != 0)
		if (got < 0 && (errno != EINTR || cli_interrupted()))
			return error_os(err, "standard input");
	return 0;
}

static int run_resume(const struct cli *cli, struct error *err)
{
	const struct resume_settings *settings = cli->settings;

	if (settings->after_input && await_input(err) < 0)
		return -1;
	return change(cli, CONTAINER_PAUSED, CONTAINER_RUNNING, err);
}

static const struct cli_option resume_options[] = {
	{ "after-input", 0, NULL, OPTION_FLAG, offsetof(struct resume_settings, after_input),
	  "wait for the end of standard input first" },
	{ 0 },
};

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
	.summary = "resume a paused container",
	.options = resume_options,
	.settings_size = sizeof(struct resume_settings),
	.run = run_resume,
};
