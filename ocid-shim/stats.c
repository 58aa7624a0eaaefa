/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/cgroup_stats.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/directory.h"
#include "ocid-shim/find.h"

struct stats_settings {
	struct strings cgroups;
};

static const struct output_column columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	{ "CPU NS", "cpu.usageCoreNanoSeconds.value", COLUMN_TEXT },
	{ "WORKING SET", "memory.workingSetBytes.value", COLUMN_SIZE },
	{ "MEMORY", "memory.usageBytes.value", COLUMN_SIZE },
	{ "PIDS", "pids.current", COLUMN_TEXT },
	{ 0 },
};

static json_t *stats_of(const struct container *container)
{
	json_t *row = cgroup_stats(json_object_get(container->facts, "cgroups"));

	json_object_set_new(row, "id", json_string(container->id));
	return row;
}

/* A row for a container that has not stopped. */
static void add_row(const struct container *container, void *rows)
{
	if (container_status(container) != CONTAINER_STOPPED)
		json_array_append_new(rows, stats_of(container));
}

static int add_named(const struct store *store, const char *text, json_t *rows, struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };

	if (find_container(store, text, &container, err) < 0)
		return -1;
	if (container_status(&container) == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped",
				 container.id);
	json_array_append_new(rows, stats_of(&container));
	return 0;
}

static int print_cgroups(const struct cli *cli, const struct strings *paths, struct error *err)
{
	json_auto_t *rows = json_array();

	for (size_t i = 0; i < paths->count; i++) {
		json_auto_t *directories = cgroup_directories(paths->items[i], err);
		json_t *row = directories ? cgroup_stats(directories) : NULL;

		if (!row) /* gone, which takes no other with it */
			continue;
		json_object_set_new(row, "id", json_string(paths->items[i]));
		json_array_append_new(rows, row);
	}
	return json_array_size(rows) > 0 ? output_list(cli, rows, columns, err) : -1;
}

static int run_stats(const struct cli *cli, struct error *err)
{
	const struct stats_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	json_auto_t *rows = json_array();

	if (settings->cgroups.count > 0 && cli->operand_count > 0)
		return cli_usage(cli, err, "--cgroup and ids exclude each other");
	if (settings->cgroups.count > 0)
		return print_cgroups(cli, &settings->cgroups, err);
	if (store_open(cli, &store, err) < 0)
		return -1;
	for (int i = 0; i < cli->operand_count; i++)
		if (add_named(&store, cli->operands[i], rows, err) < 0)
			return -1;
	if (cli->operand_count == 0 && directory_each(&store, add_row, rows, err) < 0)
		return -1;
	return output_list(cli, rows, columns, err);
}

static const struct cli_option options[] = {
	{ "cgroup", 0, "PATH", OPTION_LIST, offsetof(struct stats_settings, cgroups),
	  "measure this cgroup instead, such as a pod's" },
	{ 0 },
};

const struct cli_command stats_command = {
	.name = "stats",
	.operands = "[ID...]",
	.operands_max = -1,
	.summary = "print CPU, memory and process usage",
	.details =
		"Prints one object per container; without an ID, for all that have not stopped.\n"
		"Names are those of ContainerStats in the CRI; what the kernel does not count is\n"
		"left out.",
	.options = options,
	.settings_size = sizeof(struct stats_settings),
	.run = run_stats,
};
