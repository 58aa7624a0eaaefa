/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of an image (image-spec conversion.md, "config.Volumes"): places whose data is not to be
 * part of an image that is made from the container, and that can be written to in any case. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* Mount what nothing else is mounted on: with "bind" what the root has there, a mount of its own
 * that can be written to where the root cannot, or where it has no such directory a new one of the
 * bundle; with "tmpfs", and without a bundle, an empty file system in memory, into which the
 * runtime copies what the root has. */
void volumes_apply(struct generation *g);

/* Make the new directories in the bundle, for the container's root. */
int volumes_make(const struct generation *g, int bundle_fd, struct error *err);
