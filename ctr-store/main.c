/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = {
		command_unpack,	    command_create,  command_mount,  command_umount,
		command_mounts,	    command_images,  command_image,  command_layers,
		command_containers, command_tag,     command_untag,  command_rm,
		command_changes,    command_diff,    command_commit, command_import,
		command_export,	    command_df,	     command_check,  command_gc,
		command_wipe,	    command_unshare, { 0 },
	};

	return cli_main("ctr-store", "manages unpacked layers, containers and image mounts",
			commands, argc, argv);
}
