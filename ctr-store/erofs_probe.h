/* SPDX-License-Identifier: Apache-2.0 */
/* Whether EROFS images are the better layers here, or the only ones. */
#pragma once
#include "lib/error.h"

struct staging;
struct store;

/* Tried with an image in the staging directory, and so on the file system of the store: whether it
 * is mounted from its file, without a loop device, and an overlay made of it. Never in a store of
 * users, who cannot mount images. 1, 0, or -1 on failure. */
int erofs_is_best(const struct store *store, const struct staging *staging, struct error *err);

/* Whether the file system of the store takes no directories with whiteouts, but images of it can be
 * mounted, by a loop device if need be. 1, 0, or -1 on failure. */
int erofs_is_needed(const struct store *store, const struct staging *staging, struct error *err);
