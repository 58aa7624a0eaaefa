/* SPDX-License-Identifier: Apache-2.0 */
/* All layers of an image at once, unpacked where they are not yet. */
#pragma once
#include "ctr-store/backend.h"
#include "lib/error.h"

struct image;
struct store;
struct strings;

/* Get all layers of an image ready to be mounted, unpacking what is missing for the backend (NULL:
 * the store's), and return with the gate held (a descriptor), so that gc takes none away before the
 * caller has written down that it uses them. `ids` gets the directories, lowest first, each once.
 */
int layer_secure(const struct store *store, const struct image *image, const enum backend *backend,
		 struct strings *ids, struct error *err);
