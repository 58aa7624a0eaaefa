/* SPDX-License-Identifier: Apache-2.0 */
/* Where a configuration is written to, whole or not at all. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* Text as config.json of a bundle that has a document: for its owner only, since the environment
 * may hold secrets, and without waiting for the disk, since it can be made again from the document.
 */
int output_config_at(int directory_fd, const char *text, struct error *err);

/* The bundle that output_config() writes to: the directory, or that of the file. NULL for a device
 * or pipe. The caller frees it. */
char *output_bundle(const char *path);

/* To a file, which is replaced; to a device or pipe; or, when the path is a directory or ends with
 * "/", as config.json of that bundle, which is made where there is none. */
int output_config(const char *path, const json_t *config, struct error *err);
