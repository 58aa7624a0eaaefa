/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/commands.h"

#include <stdlib.h>

enum { COMMANDS = 32 };

/* What a service manager gave our caller is not the container's: runtimes pass on the descriptors
 * that LISTEN_FDS counts, and wait for the messages that NOTIFY_SOCKET promises. */
static void forget_service_manager(void)
{
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("NOTIFY_SOCKET");
}

int main(int argc, char **argv)
{
	const struct cli_command commands[COMMANDS] = {
		run_command,	create_command, start_command,	     exec_command,   attach_command,
		resize_command, state_command,	list_command,	     ps_command,     stats_command,
		kill_command,	stop_command,	pause_command,	     resume_command, update_command,
		wait_command,	logs_command,	reopen_logs_command, events_command, rm_command,
		{ 0 },
	};

	forget_service_manager();
	return cli_main("ocid-shim", "run containers, keep their logs and exit codes", commands,
			argc, argv);
}
