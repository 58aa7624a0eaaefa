/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/directory.h"

#include <string.h>

struct list_settings {
	bool all;
};

static const struct output_column columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_TEXT },
	{ "STATUS", "status", COLUMN_TEXT },
	{ "EXIT", "exitCode", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT },
	{ "BUNDLE", "bundle", COLUMN_TEXT },
	{ 0 },
};

struct listing {
	bool stopped_too;
	json_t *rows;
};

static void add_row(const struct container *container, void *context)
{
	const struct listing *listing = context;
	json_auto_t *row = container_describe(container);
	const char *status = json_string_value(json_object_get(row, "status"));

	if (listing->stopped_too || (status && strcmp(status, "stopped") != 0))
		json_array_append(listing->rows, row);
}

static int run_list(const struct cli *cli, struct error *err)
{
	const struct list_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	json_auto_t *rows = json_array();
	struct listing listing = { settings->all, rows };

	if (store_open(cli, &store, err) < 0 || directory_each(&store, add_row, &listing, err) < 0)
		return -1;
	return output_list(cli, rows, columns, err);
}

const struct cli_command list_command = {
	.name = "list",
	.lists = "ID",
	.summary = "list all containers",
	.settings_size = sizeof(struct list_settings),
	.defaults = &(const struct list_settings){ .all = true },
	.run = run_list,
};

static const struct cli_option ps_options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct list_settings, all),
	  "include stopped containers" },
	{ 0 },
};

const struct cli_command ps_command = {
	.name = "ps",
	.summary = "list containers that have not stopped",
	.options = ps_options,
	.settings_size = sizeof(struct list_settings),
	.run = run_list,
};
