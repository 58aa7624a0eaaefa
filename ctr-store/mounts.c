/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/record.h"
#include "lib/output.h"
#include "lib/store.h"

static const struct output_column columns[] = {
	{ "TARGET", "target", COLUMN_TEXT },
	{ "IMAGE", "image", COLUMN_TEXT },
	{ "CONTAINER", "container", COLUMN_TEXT },
	{ "RW", "rw", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT },
	{ 0 },
};

static int mounts_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;
	json_auto_t *records = record_list(&store, false, NULL, err);
	return records ? output_list(cli, records, columns, err) : -1;
}

const struct cli_command command_mounts = {
	.name = "mounts",
	.operands = "",
	.summary = "list mounts and the processes that made them",
	.run = mounts_verb,
};
