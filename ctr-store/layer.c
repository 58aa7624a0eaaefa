/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/layer.h"

#include "ctr-store/image.h"
#include "ctr-store/unpacker.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *layer_read(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/layer.json", id);

	return json_read_at(store->layers_fd, path, JSON_CONFIG_MAX, err);
}

/* 1 when the directory named after `digest` holds the layer, 0 when there is none. */
static int find_at(const struct store *store, const char *digest, const struct image_layer *layer,
		   char id[static LAYER_ID_SIZE], struct error *err)
{
	const char *hex = digest_hex(digest);
	json_auto_t *facts = layer_read(store, hex, err);

	if (!facts)
		return err->os == ENOENT ? 0 : error_prefix(err, "layer %s", hex);
	if (strcmp(json_text(facts, "chainId", layer->chain_id), layer->chain_id) != 0)
		return 0; /* it leans, on other layers than this image's */
	snprintf(id, LAYER_ID_SIZE, "%s", hex);
	return 1;
}

int layer_find(const struct store *store, const struct image_layer *layer,
	       char id[static LAYER_ID_SIZE], struct error *err)
{
	int found = find_at(store, layer->diff_id, layer, id, err);

	return found ? found : find_at(store, layer->chain_id, layer, id, err);
}

/* A layer that stands twice in an image: overlayfs refuses to stack a directory twice, and the
 * upper one alone decides (it repeats every entry and whiteout of the lower one). */
static void drop_repeated(struct strings *ids)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->count; i++) {
		size_t later = i + 1;

		while (later < ids->count && strcmp(ids->items[i], ids->items[later]) != 0)
			later++;
		if (later < ids->count)
			free(ids->items[i]);
		else
			ids->items[kept++] = ids->items[i];
	}
	ids->count = kept;
	if (ids->items)
		ids->items[kept] = NULL;
}

/* 1 with all ids, 0 when a layer is not unpacked. */
static int find_all(const struct store *store, const struct image *image, struct strings *ids,
		    struct error *err)
{
	cleanup_strings struct strings found = { 0 };

	for (size_t i = 0; i < image->layer_count; i++) {
		char id[LAYER_ID_SIZE];
		int status = layer_find(store, &image->layers[i], id, err);

		if (status <= 0)
			return status;
		strings_add(&found, id);
	}
	drop_repeated(&found);
	*ids = found;
	found = (struct strings){ 0 };
	return 1;
}

int layer_secure(const struct store *store, const struct image *image, struct strings *ids,
		 struct error *err)
{
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	int found = gate < 0 ? -1 : find_all(store, image, ids, err);

	if (found != 0)
		return found < 0 ? -1 : steal_fd(&gate);
	close(steal_fd(&gate));

	/* what it refers to stays until the gate is held again */
	cleanup_unpacker struct unpacker *unpacker = unpacker_new(store, err);
	if (!unpacker || unpacker_add_image(unpacker, image, err) < 0)
		return -1;
	unpacker_all_blobs(unpacker);
	if (unpacker_finish(unpacker, err) < 0)
		return -1;
	gate = staging_gate(store, LOCK_SHARED, err);
	found = gate < 0 ? -1 : find_all(store, image, ids, err);
	if (found == 0)
		return error_set(err, ERROR_TEMPORARY, "a layer of image %s was removed meanwhile",
				 image_label(image));
	return found < 0 ? -1 : steal_fd(&gate);
}
