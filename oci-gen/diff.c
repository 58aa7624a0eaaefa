/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/commands.h"
#include "oci-gen/input.h"
#include "oci-gen/leaves.h"

#include <string.h>

/* As of diff(1); trouble has the statuses of all errors. */
enum { STATUS_DIFFERENT = 1 };

static const struct output_column columns[] = {
	{ "CHANGE", "change", COLUMN_TEXT }, { "PATH", "path", COLUMN_TEXT },
	{ "FROM", "from", COLUMN_TEXT },     { "TO", "to", COLUMN_TEXT },
	{ NULL, NULL, COLUMN_TEXT },
};

static void add_row(json_t *rows, const char *path, const json_t *before, const json_t *after)
{
	json_t *from = json_object_get(before, "value"), *to = json_object_get(after, "value");

	if (before && after && json_equal(from, to))
		return;
	json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:O*, s:O*}", "change",
					      !before  ? "added"
					      : !after ? "removed"
						       : "changed",
					      "path", path, "pointer",
					      json_text(after ? after : before, "pointer", ""),
					      "from", from, "to", to));
}

/* In the order of the first configuration, then what only the second has. */
static json_t *compare(const json_t *before, const json_t *after)
{
	json_t *rows = json_array(), *leaf;
	const char *path;

	json_object_foreach ((json_t *)before, path, leaf) {
		add_row(rows, path, leaf, json_object_get(after, path));
	}
	json_object_foreach ((json_t *)after, path, leaf) {
		if (!json_object_get(before, path))
			add_row(rows, path, NULL, leaf);
	}
	return rows;
}

static int read_leaves(const char *operand, json_t **leaves, struct error *err)
{
	cleanup_input struct input input = { 0 };

	if (input_read(&input, operand, err) < 0)
		return -1;
	if (!json_is_object(input.config))
		return error_set(err, ERROR_INTEGRITY, "%s is not a configuration",
				 input_name(&input));
	*leaves = leaves_of(input.config, true);
	return 0;
}

static int diff_run(const struct cli *cli, struct error *err)
{
	json_auto_t *before = NULL, *after = NULL;

	if (strcmp(cli->operands[0], "-") == 0 && strcmp(cli->operands[1], "-") == 0)
		return cli_usage(cli, err, "only one thing can be read from standard input");
	if (read_leaves(cli->operands[0], &before, err) < 0 ||
	    read_leaves(cli->operands[1], &after, err) < 0)
		return -1;

	json_auto_t *rows = compare(before, after);
	if (json_array_size(rows) == 0)
		return 0;
	return output_list(cli, rows, columns, err) < 0 ? -1 : STATUS_DIFFERENT;
}

struct cli_command diff_command(void)
{
	return (struct cli_command){
		.name = "diff",
		.operands = "FILE|BUNDLE|- FILE|BUNDLE|-",
		.operands_min = 2,
		.operands_max = 2,
		.summary = "show meaningful differences of two configurations",
		.details = "Ignores order that has no meaning, and members that only state a "
			   "default.\n"
			   "Exits with 1 if there is a difference.",
		.run = diff_run,
	};
}
