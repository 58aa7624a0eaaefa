/* SPDX-License-Identifier: Apache-2.0 */
/* All layers that are unpacked. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>

struct store;

/* The names of all directories in ROOT/layers, sorted. */
int layer_list_ids(const struct store *store, struct strings *ids, struct error *err);

/* Which images use which layer directory: an object of arrays of image ids. A layer that is in an
 * image has an entry by its DiffID and one by its ChainID (hex), whichever its directory is named
 * after. The caller owns it. */
json_t *layer_list_users(const struct store *store, struct error *err);
