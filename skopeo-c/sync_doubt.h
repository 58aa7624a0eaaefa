/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of a list are copied although they are at their destinations already. */
#pragma once
#include "skopeo-c/copy_image.h"
#include "skopeo-c/sync_list.h"

/* Marks items SYNC_CHANGED that are SYNC_UNCHANGED where the policy does not take them any more, or
 * where they have signatures that their destinations lack. What cannot be said counts as changed,
 * too: why shows when it is copied. */
void sync_doubt(struct sync_list *list, const struct copy_request *request, struct http *http);
