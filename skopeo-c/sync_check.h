/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of a list are at their destinations already: one HEAD a side, the destination asked
 * whether it has what the source has; several at once over the same connections. */
#pragma once
#include "skopeo-c/sync_list.h"

/* Marks items SYNC_UNCHANGED or SYNC_CHANGED; of a source in a registry `digest` is filled. What
 * cannot be said counts as changed: why shows again when it is copied. */
int sync_check(struct sync_list *list, const struct access *destination, struct http *http,
	       size_t parallel, struct error *err);
