/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch rpcs */
#include "lib/output.h"
#include "ocid-dispatch/commands.h"
#include "ocid-dispatch/rpc.h"

static int run(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "SERVICE", "service", COLUMN_TEXT },	 { "METHOD", "method", COLUMN_TEXT },
		{ "REQUEST", "request", COLUMN_TEXT },	 { "RESPONSE", "response", COLUMN_TEXT },
		{ "ANSWERED", "answered", COLUMN_TEXT }, { 0 },
	};
	json_auto_t *list = rpc_list();

	return output_list(cli, list, columns, err);
}

const struct cli_command command_rpcs = {
	.name = "rpcs",
	.lists = "RPC",
	.summary = "list the RPCs and whether they are supported",
	.run = run,
};
