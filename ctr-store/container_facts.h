/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers on disk, ROOT/containers/<id>/: document.json, upper/ and work/ of the overlay,
 * rootfs/ where it is mounted, and rootfs.json: what this tool must know to mount, list and remove
 * it whatever becomes of the document:
 *
 *   {"id", "name"?, "path", "bundle", "layers", "image": {"name", "id", "digest"}, "created",
 *    "throwaway": true where it goes with its mount, "uidMappings"?, "gidMappings"?,
 *    "project"?, "sizeLimit"?, "volatile"?, "backend"?: "copy"}
 *
 * A writable mount of an image is a container too.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;
struct strings;

/* The rootfs.json of the container with that id, which the caller owns. NULL with ERROR_INTEGRITY
 * where it is damaged; with ENOENT in err->os where it is not there. */
json_t *container_read(const struct store *store, const char *id, struct error *err);

/* The ids of all, or of what may be one; `ids` is empty before. */
int container_list_ids(const struct store *store, struct strings *ids, struct error *err);

/* All containers, as an array that the caller owns. */
json_t *container_list(const struct store *store, struct error *err);

/* Whether the text is its whole id: then nothing else can be meant. */
bool container_has_id(const json_t *container, const char *text);

/* How people know it: its name, else its id. Borrowed. */
const char *container_label(const json_t *container);
