/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/output.h"

static int ns_list(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", COLUMN_TEXT },     { "NETNS", "netns", COLUMN_TEXT },
		{ "IPCNS", "ipcns", COLUMN_TEXT },   { "UTSNS", "utsns", COLUMN_TEXT },
		{ "USERNS", "userns", COLUMN_TEXT }, { "PIDNS", "pidns", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	cleanup_free char *runroot = ns_runroot(cli);
	json_auto_t *rows = pin_list(runroot, err);

	return rows ? output_list(cli, rows, columns, err) : -1;
}

const struct cli_command ns_list_command = {
	.name = "ns list",
	.lists = "NETNS",
	.summary = "list the pinned namespaces",
	.run = ns_list,
};
