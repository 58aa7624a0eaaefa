/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		generate_command(), validate_command(), diff_command(),
		explain_command(),  apparmor_command(), { 0 },
	};

	return cli_main("oci-gen", "write and check the config.json of OCI containers", commands,
			argc, argv);
}
