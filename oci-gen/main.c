/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		generate_command(), validate_command(), diff_command(),
		explain_command(),  apparmor_command(), { 0 },
	};

	return cli_main("oci-gen", "writes and checks config.json for OCI runtimes", commands, argc,
			argv);
}
