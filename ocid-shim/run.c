/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cli.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/create.h"
#include "ocid-shim/not_run.h"
#include "ocid-shim/wait.h"

static int run_run(const struct cli *cli, struct error *err)
{
	const struct create_settings *settings = cli->settings;
	cleanup_container struct container container = { .dir_fd = -1 };

	if (create_container(cli, true, &container, err) < 0)
		return settings->wait ? not_run(err) : -1;
	return settings->wait ? wait_for_code(&container, err) : 0;
}

static const struct cli_option options[] = {
	CREATE_OPTIONS,
	{ "wait", 'w', NULL, OPTION_FLAG, offsetof(struct create_settings, wait),
	  "wait for the end, and exit with the container's exit code" },
	{ 0 },
};

static const struct create_settings defaults = CREATE_DEFAULTS;

const struct cli_command run_command = {
	.name = "run",
	.operands = "[ID]",
	.operands_max = 1,
	.summary = "create a container and start it",
	.details = "Reads a container document from standard input, and prints it with the field\n"
		   "\"process\". With --bundle DIR and an ID, no document is read. The container "
		   "keeps\n"
		   "running in the background; with --wait, exit codes 125 to 127 mean that its\n"
		   "command did not run.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_run,
};
