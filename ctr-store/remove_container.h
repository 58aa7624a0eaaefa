/* SPDX-License-Identifier: Apache-2.0 */
/* Taking containers out of the store. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Unmount and remove a container that is not running. With `force` also one in whose files
 * processes work. The caller must not hold the gate or the container's lock. */
int remove_container(const struct store *store, const char *id, bool force, struct error *err);
