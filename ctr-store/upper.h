/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed: the upper directory of its overlay, as it is on the disk. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>

struct store;
struct tar_writer;

/* The container is not removed as long as the caller holds its lock. Returns an array of
 * {"path","kind": "added"|"changed"|"removed", "opaque"?: true}, which the caller owns. */
json_t *upper_changes(const struct store *store, const json_t *container, struct error *err);

/* Write the changes as the entries of a layer (image-spec, layer.md), without the end of the
 * archive; *entries counts them. ERROR_UNSUPPORTED for a name that layers cannot hold;
 * ERROR_TEMPORARY when a file changes meanwhile. */
int upper_archive(const struct store *store, const json_t *container, struct tar_writer *tar,
		  size_t *entries, struct error *err);
