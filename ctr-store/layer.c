/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/layer.h"

#include "ctr-store/image.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
