/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of an image (image-spec conversion.md, "config.Volumes"): places whose data is not to be
 * part of an image that is made from the container, and that can be written to in any case. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* ERROR_USAGE unless it is "bind", "tmpfs" or "ignore". */
int volumes_check_mode(const char *mode, struct error *err);

/* Mount what nothing else is mounted on: with "bind" what the root has there, a mount of its own
 * that can be written to where the root cannot; with "tmpfs", and where the root has no such
 * directory, an empty file system in memory, into which the runtime copies what the root has. */
void volumes_apply(struct generation *g);
