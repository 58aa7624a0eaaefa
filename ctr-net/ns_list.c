/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "ns.h"

#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/store.h"

static int ns_list(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", COLUMN_TEXT },
		{ "NETNS", "netns", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	cleanup_store struct store store = { 0 };
	json_auto_t *rows = json_array();
	size_t i;
	const json_t *name;

	if (store_open(cli, &store, err) < 0)
		return -1;

	json_auto_t *names = ns_names(&store, err);
	if (!names)
		return -1;
	json_array_foreach(names, i, name)
	{
		cleanup_free char *path = ns_path(&store, json_string_value(name), err);

		if (!path)
			return -1;
		json_array_append_new(rows, json_pack("{s:O, s:s}", "name", name, "netns", path));
	}
	return output_list(cli, rows, columns, err);
}

const struct cli_command ns_list_command = {
	.name = "ns list",
	.summary = "list the pinned network namespaces",
	.run = ns_list,
};
