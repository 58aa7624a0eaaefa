/* SPDX-License-Identifier: Apache-2.0 */
/* The signatures that a store of podman's keeps with an image (containers/image, storage): one
 * after the other in a file, with their sizes in the image's metadata. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct signatures;
struct storage;

/* Whether an entry of the store's images says that there are any. */
bool storage_signatures_are_there(const json_t *image);
/* Add them; they are for the manifest that is kept there. */
int storage_signatures_read(const struct storage *storage, const json_t *image,
			    struct signatures *signatures, struct error *err);
