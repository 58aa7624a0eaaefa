/* SPDX-License-Identifier: Apache-2.0 */
/* Where a configuration is written to, whole or not at all. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <sys/types.h>

/* As config.json of the directory. */
int output_config_at(int directory_fd, const json_t *config, mode_t mode, struct error *err);

/* To a file, which is replaced; to a device or pipe; or, when the path is a directory or ends with
 * "/", as config.json of that bundle, which is made where there is none. */
int output_config(const char *path, const json_t *config, struct error *err);
