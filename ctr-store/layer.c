/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/layer.h"

#include "ctr-store/image.h"
#include "ctr-store/unpacker.h"
#include "ctr-store/user_namespace.h"
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
	/* a path ends in /diff, which need not be a directory */
	const char *last = id[0] == '/' ? strrchr(id, '/') : id + strlen(id);
	cleanup_free char *path = xasprintf("%.*s/layer.json", (int)(last - id), id);

	return json_read_at(store->layers_fd, path, JSON_CONFIG_MAX, err);
}

int layer_parse_ids(const json_t *array, struct strings *ids, struct error *err)
{
	const json_t *id;
	size_t i;

	json_array_foreach (array, i, id) {
		if (!json_is_string(id))
			return error_set(err, ERROR_INTEGRITY, "a layer's id is not a string");
		strings_add(ids, json_string_value(id));
	}
	return 0;
}

/* The layer with that id is the image's: 1, with the id for the caller; 0 when it is not, or not
 * there. Takes the id. */
static int try_id(const struct store *store, char *id, const struct image_layer *layer, char **ret,
		  struct error *err)
{
	cleanup_free char *own = id;
	json_auto_t *facts = layer_read(store, id, err);

	if (!facts)
		return err->os == ENOENT ? 0 : error_prefix(err, "layer %s", id);
	if (strcmp(json_text(facts, "chainId", layer->chain_id), layer->chain_id) != 0)
		return 0; /* it leans, on other layers than this image's */
	*ret = steal_ptr(&own);
	return 1;
}

/* The same for a layer of an additional store. */
static int try_other(const struct store *store, const char *root, const char *hex,
		     const struct image_layer *layer, char **id, struct error *err)
{
	int found = try_id(store, xasprintf("%s/layers/%s/diff", root, hex), layer, id, err);

	if (found <= 0 || user_namespace_marks_alike(store, root))
		return found;
	free(steal_ptr(id));
	error_set(err, ERROR_UNSUPPORTED,
		  "layers of %s cannot be mounted with those of %s: one store is root's", root,
		  store->root);
	return error_hint(err, "skopeo-c copy brings the image into this one");
}

int layer_find(const struct store *store, const struct image_layer *layer, char **id,
	       struct error *err)
{
	const char *const hex[] = { digest_hex(layer->diff_id), digest_hex(layer->chain_id) };
	size_t others = store->only_own_layers ? 0 : store->additional.count;
	int found = 0;

	for (size_t i = 0; found == 0 && i < 2; i++)
		found = try_id(store, xstrdup(hex[i]), layer, id, err);
	for (size_t i = 0; found == 0 && i < 2 * others; i++)
		found = try_other(store, store->additional.items[i / 2], hex[i % 2], layer, id,
				  err);
	return found;
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
		cleanup_free char *id = NULL;
		int status = layer_find(store, &image->layers[i], &id, err);

		if (status <= 0)
			return status;
		strings_add(&found, id);
	}
	drop_repeated(&found);
	*ids = found;
	found = (struct strings){ 0 };
	return 1;
}

int layer_secure(const struct store *store, const struct image *image, const enum backend *backend,
		 struct strings *ids, struct error *err)
{
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	int found = gate < 0 ? -1 : find_all(store, image, ids, err);

	if (found != 0)
		return found < 0 ? -1 : steal_fd(&gate);
	close(steal_fd(&gate));

	/* what it refers to stays until the gate is held again */
	cleanup_unpacker struct unpacker *unpacker = unpacker_new(store, err);
	if (!unpacker)
		return -1;
	unpacker_add_image(unpacker, image);
	if (backend)
		unpacker_set_backend(unpacker, *backend);
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
