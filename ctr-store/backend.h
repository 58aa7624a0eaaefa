/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's root file system comes to be: by an overlay mount of the layers, which are
 * directories or EROFS images (erofs.h), or by a copy. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct staging;
struct store;

enum backend {
	BACKEND_BEST, /* images or directories, whichever does better here: erofs_is_best() */
	BACKEND_OVERLAY,
	BACKEND_COPY,
	BACKEND_EROFS
};

/* As `name` says ("overlay", "copy", "erofs"), or where it is NULL ROOT/store.json; the best one
 * where that is silent. */
int backend_choose(const struct store *store, const char *name, enum backend *backend,
		   struct error *err);

/* What layers become, images or directories: decided here if it is the best, or a copy. */
int backend_settle(const struct store *store, const struct staging *staging, enum backend *backend,
		   struct error *err);

/* Whether the container is a copy. */
bool backend_is_copy(const json_t *container);
