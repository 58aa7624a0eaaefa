/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that were in another store: an additional one, or one of podman's. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* Whether it is such a layer, by its absolute path, and not there. */
bool lost_store_has(const char *layer);

/* Say so: the store's name, and what to do. Returns -1. */
int lost_store_error(const char *layer, struct error *err);
