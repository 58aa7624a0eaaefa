/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing mounts together with what was there only for them. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Undo a mount by its record, and remove a container that lived by it; the last mount of one that
 * runs is ERROR_IN_USE. With `lazy` also what is in use. */
int unmount(const struct store *store, const json_t *record, bool lazy, struct error *err);

/* All of them that can be undone: where some stay, which alone are left in the array then, the
 * error says why one of them does. */
int unmount_all(const struct store *store, json_t *records, bool lazy, struct error *err);
