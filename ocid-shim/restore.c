/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cli.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/create.h"
#include "ocid-shim/criu.h"

static int run_restore(const struct cli *cli, struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };
	const struct create_settings *settings = cli->settings;

	if (!settings->restore)
		return cli_usage(cli, err, "--from: which checkpoint?");
	return criu_check(err) < 0 ? -1 : create_container(cli, true, &container, err);
}

static const struct cli_option options[] = {
	{ "from", 0, "DIR", OPTION_STRING, offsetof(struct create_settings, restore),
	  "directory of the checkpoint" },
	CREATE_OPTIONS,
	{ 0 },
};

static const struct create_settings defaults = CREATE_DEFAULTS;

const struct cli_command restore_command = {
	.name = "restore",
	.operands = "[ID]",
	.operands_max = 1,
	.summary = "create a container from a checkpoint",
	.details =
		"Like run, but the processes continue where they were saved. The bundle must be\n"
		"the same as then.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_restore,
};
