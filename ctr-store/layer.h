/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked layers, ROOT/layers/<id>/ with diff, a directory or an EROFS image of it (erofs.h), and
 * layer.json (DESIGN 3). The id is the hex part
 * of the DiffID where the layer stands alone; of the ChainID, which layer.json then holds as
 * "chainId", where it leans on the layers beneath. A layer of an additional store (lib/store.h) has
 * the absolute path of its diff/ in the place of an id.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <jansson.h>
#include <stdlib.h>

struct image;
struct image_layer;

/* The directory that holds an image's layer: 1 with its id, which the caller frees, 0 when it is
 * not unpacked yet, or -1 when what is there cannot be read. */
int layer_find(const struct store *store, const struct image_layer *layer, char **id,
	       struct error *err);

/* layer.json of a layer directory; the caller owns it. */
json_t *layer_read(const struct store *store, const char *id, struct error *err);

/* Where a layer's files are: a path from ROOT/layers, or an absolute one. The caller frees it. */
static inline char *layer_tree(const char *id)
{
	return xasprintf("%s%s", id, id[0] == '/' ? "" : "/diff");
}

/* The same, absolute. */
static inline char *layer_path(const struct store *store, const char *id)
{
	char *tree = layer_tree(id);
	char *path = id[0] == '/' ? xstrdup(tree) : xasprintf("%s/layers/%s", store->root, tree);

	free(tree);
	return path;
}

/* The ids of layers in an array that a container or a record of a mount has. */
int layer_parse_ids(const json_t *array, struct strings *ids, struct error *err);
