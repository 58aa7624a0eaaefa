/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/layer_list.h"

#include "ctr-store/image.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/store.h"

#include <string.h>

int layer_list_ids(const struct store *store, struct strings *ids, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(store->layers_fd, ".", &names) < 0)
		return error_os(err, "%s/layers", store->root);
	for (size_t i = 0; i < names.count; i++)
		if (names.items[i][0] != '.')
			strings_add(ids, names.items[i]);
	return 0;
}

/* An image is looked at once, so only a layer that it repeats could be there already: as the last.
 */
static void add_user(json_t *users, const char *digest, const char *image_id)
{
	const char *hex = digest_hex(digest);
	json_t *list = json_object_get(users, hex);

	if (!list)
		json_object_set_new(users, hex, list = json_array());
	const json_t *last = json_array_get(list, json_array_size(list) - 1);
	if (!last || strcmp(json_string_value(last), image_id) != 0)
		json_array_append_new(list, json_string(image_id));
}

static void add_image(json_t *users, json_t *seen, const struct image *image)
{
	if (json_object_get(seen, image->id))
		return;
	json_object_set_new(seen, image->id, json_true());
	for (size_t i = 0; i < image->layer_count; i++) {
		const struct image_layer *layer = &image->layers[i];

		add_user(users, layer->diff_id, image->id);
		add_user(users, layer->chain_id, image->id);
	}
}

json_t *layer_list_users(const struct store *store, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	json_auto_t *index =
		image_layout(store, &layout, err) < 0 ? NULL : layout_index(&layout, err);
	json_auto_t *users = json_object();
	json_auto_t *seen = json_object();
	json_auto_t *digests = json_object();
	const json_t *entry;
	size_t i;

	if (!index)
		return NULL;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		const char *digest = json_text(entry, "digest", "");
		cleanup_image struct image image = { 0 };
		struct error ignored; /* what is damaged or no image, `images` tells */

		if (json_object_get(digests, digest))
			continue;
		json_object_set_new(digests, digest, json_true());
		json_auto_t *json = layout_image(&layout, entry, &ignored);
		if (json && image_from_json(json, &image, &ignored) == 0)
			add_image(users, seen, &image);
	}
	return json_incref(users);
}
