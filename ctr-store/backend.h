/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's root file system comes to be: by an overlay mount of the layers, or by a copy.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Whether it is to be a copy: as `name` says ("overlay", "copy"), or where it is NULL
 * ROOT/store.json. */
int backend_choose(const struct store *store, const char *name, bool *copy, struct error *err);

/* Whether the container is one. */
bool backend_is_copy(const json_t *container);
