/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of images that are in a store of podman's (lib/containers_storage.h), where they stay. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Whether a name on the command line is one of those, "containers-storage:[[WHERE]]NAME". */
bool mount_storage_means(const char *name);

/* Mount it read-only on a directory; NULL: on a new one below the runroot. Returns the record of
 * the mount, which the caller owns. */
json_t *mount_storage(const struct store *store, const char *name, const char *directory,
		      struct error *err);
