/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_files.h"
#include "ctr-net/commands.h"
#include "ctr-net/options.h"
#include "lib/output.h"

struct list_settings {
	struct strings conf_dirs;
};

static int list(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", COLUMN_TEXT },
		{ "CNI", "cniVersion", COLUMN_TEXT },
		{ "PLUGINS", "plugins", COLUMN_TEXT },
		{ "CAPABILITIES", "capabilities", COLUMN_TEXT },
		{ "FILE", "file", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	const struct list_settings *settings = cli->settings;
	cleanup_strings struct strings dirs = { 0 };

	options_conf_dirs(&settings->conf_dirs, &dirs);
	json_auto_t *rows = cni_files_list(&dirs, err);
	return rows ? output_list(cli, rows, columns, err) : -1;
}

static const struct cli_option options[] = {
	OPTION_CONF_DIRS(list_settings),
	{ 0 },
};

const struct cli_command list_command = {
	.name = "list",
	.lists = "NETWORK",
	.summary = "list the configured networks, the default one first",
	.options = options,
	.settings_size = sizeof(struct list_settings),
	.run = list,
};
