/* SPDX-License-Identifier: Apache-2.0 */
/* deleted.files of a checkpoint: an array of the paths that the container had removed. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* The same as a layer, a tar archive of whiteouts (image-spec, layer.md), in a file in memory,
 * whose descriptor is the caller's. ERROR_INTEGRITY for what is no path. */
int deleted_files_archive(const json_t *paths, struct error *err);
