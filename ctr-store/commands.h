/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of ctr-store: each is the row of its own file in the table of main.c. */
#pragma once
#include "lib/cli.h"

extern const struct cli_command command_unpack, command_create, command_mount, command_umount,
	command_mounts, command_images, command_image, command_tag, command_untag, command_rm,
	command_gc, command_layers, command_containers, command_df, command_check, command_changes,
	command_diff, command_commit, command_wipe, command_export, command_unshare, command_import;
