/* SPDX-License-Identifier: Apache-2.0 */
/* The verb: confine the process, unpack one layer, say what came of it. */
#pragma once
#include "lib/cli.h"

extern const struct cli_option layer_options[];
extern const struct layer_settings layer_defaults;

struct layer_settings {
	long long blob_fd, dir_fd, lower_fd, image_fd, blob_size;
	const char *diff_id, *blob_digest;
	long long entries_max, size_max;
	bool user_namespace, one_user, lose_writes, only_check;
};

int layer_run(const struct cli *cli, struct error *err);
