/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		add_command,
		del_command,
		check_command,
		gc_command,
		init_command,
		list_command,
		status_command,
		versions_command,
		validate_command,
		show_command,
		stats_command,
		monitor_command,
		ns_create_command,
		ns_list_command,
		ns_exec_command,
		ns_rm_command,
		{ 0 },
	};

	return cli_main("ctr-net", "connects containers to networks", commands, argc, argv);
}
