/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a list that have to be copied: each by a process of its own, several at a time, so
 * that one that fails or crashes is one that fails. */
#pragma once
#include "skopeo-c/copy_image.h"
#include "skopeo-c/sync_list.h"

enum { SYNC_PROCESSES = 3 };

/* Copy the items that are SYNC_CHANGED and mark them. `request` says how; the blobs that it moves
 * at a time are shared between the processes. keep_going: one that fails does not end the others.
 * Fails itself only where no process can be started, or when it is interrupted. */
int sync_copy(struct sync_list *list, const struct copy_request *request, bool keep_going,
	      struct error *err);
