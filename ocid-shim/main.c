/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/commands.h"

enum { COMMANDS = 32 };

int main(int argc, char **argv)
{
	const struct cli_command commands[COMMANDS] = {
		run_command,	    create_command,  start_command,
		exec_command,	    attach_command,  resize_command,
		state_command,	    list_command,    ps_command,
		stats_command,	    kill_command,    stop_command,
		pause_command,	    resume_command,  update_command,
		wait_command,	    logs_command,    reopen_logs_command,
		checkpoint_command, restore_command, events_command,
		rm_command,	    { 0 },
	};

	return cli_main("ocid-shim", "runs containers, keeps their logs and exit codes", commands,
			argc, argv);
}
