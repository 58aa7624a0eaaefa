/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"

#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/store.h"

#include <dirent.h>
#include <stdlib.h>
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

/* One container, which may be gone by now. */
static void add_row(const struct store *store, const char *id, bool stopped_too, json_t *rows)
{
	cleanup_container struct container container = { .dir_fd = -1 };
	struct error ignored;

	if (!path_is_id(id) || container_open(store, id, &container, &ignored) < 0)
		return;

	json_auto_t *row = container_describe(&container);
	const char *status = json_string_value(json_object_get(row, "status"));
	if (stopped_too || (status && strcmp(status, "stopped") != 0))
		json_array_append(rows, row);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int run_list(const struct cli *cli, struct error *err)
{
	const struct list_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	struct dirent **entries;

	if (store_open(cli, &store, err) < 0)
		return -1;

	int count = scandirat(store.run_containers_fd, ".", &entries, NULL, by_name);
	if (count < 0)
		return error_os(err, "%s/containers", store.runroot);

	json_auto_t *rows = json_array();
	for (int i = 0; i < count; i++) {
		add_row(&store, entries[i]->d_name, settings->all, rows);
		free(entries[i]);
	}
	free(entries);
	return output_list(cli, rows, columns, err);
}

const struct cli_command list_command = {
	.name = "list",
	.summary = "list all containers",
	.settings_size = sizeof(struct list_settings),
	.defaults = &(const struct list_settings){ .all = true },
	.run = run_list,
};

static const struct cli_option ps_options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct list_settings, all),
	  "also those that have stopped" },
	{ 0 },
};

const struct cli_command ps_command = {
	.name = "ps",
	.summary = "list the containers that have not stopped",
	.options = ps_options,
	.settings_size = sizeof(struct list_settings),
	.run = run_list,
};
