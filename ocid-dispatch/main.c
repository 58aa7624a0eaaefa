/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		command_serve, command_call, command_check, command_rpcs, { 0 }
	};

	return cli_main("ocid-dispatch", "serves the Kubernetes CRI by running the other tools",
			commands, argc, argv);
}
