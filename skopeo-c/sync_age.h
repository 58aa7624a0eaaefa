/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving out what is too old, which the images' configurations say. */
#pragma once
#include "skopeo-c/copy_image.h"
#include "skopeo-c/sync_list.h"

/* Take the items out of the list that were made before `oldest` (seconds since the epoch), or that
 * do not say when. Fails only where it is interrupted. */
int sync_age_reduce(struct sync_list *list, const struct copy_request *request, struct http *http,
		    int64_t oldest, struct error *err);
