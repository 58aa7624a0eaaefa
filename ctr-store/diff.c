/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/upper.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/store.h"
#include "lib/tar_writer.h"

#include <unistd.h>

static const struct output_column columns[] = {
	{ "KIND", "kind", COLUMN_TEXT },
	{ "PATH", "path", COLUMN_TEXT },
	{ 0 },
};

/* Find the container, and lock it, so that it is not removed meanwhile. */
static json_t *open_container(const struct store *store, const char *name, int *lock,
			      struct error *err)
{
	json_auto_t *found = container_find(store, name, err);

	return found ? container_lock(store, json_text(found, "id", ""), lock, err) : NULL;
}

static int changes_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_fd int lock = -1;

	if (store_open(cli, &store, err) < 0)
		return -1;
	json_auto_t *container = open_container(&store, cli->operands[0], &lock, err);
	json_auto_t *changes = container ? upper_changes(&store, container, err) : NULL;
	/* who reads them may take his time */
	cleanup_fd_p(&lock);
	return changes ? output_list(cli, changes, columns, err) : -1;
}

const struct cli_command command_changes = {
	.name = "changes",
	.operands = "CONTAINER",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "list what a container has added, changed and removed",
	.run = changes_verb,
};

static int diff_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_fd int lock = -1;
	struct tar_writer tar = { .fd = STDOUT_FILENO, .what = "standard output" };
	size_t entries;

	if (isatty(STDOUT_FILENO))
		return cli_usage(cli, err, "an archive is not for a terminal");
	if (store_open(cli, &store, err) < 0)
		return -1;
	json_auto_t *container = open_container(&store, cli->operands[0], &lock, err);
	if (!container || upper_archive(&store, container, &tar, &entries, err) < 0)
		return -1;
	return tar_finish(&tar, err);
}

const struct cli_command command_diff = {
	.name = "diff",
	.operands = "CONTAINER",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "write a container's changes as a layer (tar archive)",
	.run = diff_verb,
};
