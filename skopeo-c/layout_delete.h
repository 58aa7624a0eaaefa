/* SPDX-License-Identifier: Apache-2.0 */
/* Take an image out of an OCI layout: its name, and what nothing else there needs. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* `place` is DIR[:REF], as behind "oci:". blob_dir: where the blobs are instead, which stay; or
 * NULL. root: the store's, whose own images are not deleted like this. Returns what was done, which
 * the caller owns: {name, digest, deleted: "tag" or "manifest", blobs, size}, these the number and
 * the bytes of the blobs that went. */
json_t *layout_delete(const char *place, const char *blob_dir, const char *root, struct error *err);
