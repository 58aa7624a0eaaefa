/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "/" of an image. Each layer's diff/ has owner and mode of its own, but only few archives say
 * anything about it, while overlayfs shows those of the topmost directory. The one that counts is
 * that of the topmost layer whose archive did.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>

struct erofs_user;
struct id_maps;
struct store;

/* Give the empty directory upper_fd owner (as it is on the host), mode, times and extended
 * attributes of the image's. */
int root_directory_copy(const struct store *store, const struct strings *layers,
			const struct id_maps *maps, int upper_fd, struct error *err);

/* For a mount without an upper directory: add to the layers the path of an empty directory that
 * looks as the image's should, where the topmost layer's does not. The user (or NULL) is that of
 * the mount. The caller holds the gate. The directory stays as long as the record of a mount names
 * it or *held is open, a descriptor of the caller's, which is -1 where none was added. */
int root_directory_add(const struct store *store, struct strings *layers,
		       const struct erofs_user *user, int *held, struct error *err);

/* Remove those that are not used any more: for gc, which holds the gate exclusively. */
void root_directory_collect(const struct store *store, const json_t *records);
