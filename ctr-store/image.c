/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image.h"

#include "ctr-store/catalog_cache.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "lib/store.h"

#include <stdlib.h>
#include <string.h>

static int check_digest(const char *digest, const char *what, struct error *err)
{
	if (digest_is_valid(digest))
		return 0;
	return error_set(err, ERROR_INTEGRITY, "the image's %s \"%s\" is not a digest", what,
			 digest);
}

static int read_layer(struct image *image, size_t position, const json_t *descriptor,
		      const json_t *diff_id, struct error *err)
{
	struct image_layer *layer = &image->layers[position];

	layer->descriptor = descriptor;
	layer->blob = json_text(descriptor, "digest", "");
	layer->diff_id = json_is_string(diff_id) ? json_string_value(diff_id) : "";
	if (check_digest(layer->blob, "layer", err) < 0 ||
	    check_digest(layer->diff_id, "diff_id", err) < 0)
		return -1;
	digest_chain(position ? image->layers[position - 1].chain_id : NULL, layer->diff_id,
		     layer->chain_id);
	return 0;
}

static int read_layers(struct image *image, struct error *err)
{
	const json_t *descriptors = json_path(image->json, "manifest", "layers", NULL);
	const json_t *diff_ids = json_path(image->json, "config", "rootfs", "diff_ids", NULL);
	const json_t *descriptor;
	size_t i, count = json_array_size(descriptors);

	if (count != json_array_size(diff_ids))
		return error_set(err, ERROR_INTEGRITY,
				 "image %s: %zu layers in its manifest, %zu in its configuration",
				 image_label(image), count, json_array_size(diff_ids));
	if (count > IMAGE_LAYERS_MAX)
		return error_set(err, ERROR_LIMIT,
				 "image %s: %zu layers, at most %d can be stacked",
				 image_label(image), count, IMAGE_LAYERS_MAX);
	image->layers = xcalloc(count, sizeof *image->layers);
	image->layer_count = count;
	json_array_foreach (descriptors, i, descriptor) {
		if (read_layer(image, i, descriptor, json_array_get(diff_ids, i), err) < 0)
			return error_prefix(err, "image %s", image_label(image));
	}
	return 0;
}

int image_from_json(json_t *json, struct image *image, struct error *err)
{
	cleanup_image struct image i = { .json = json_incref(json) };

	if (json_path(json, "descriptor", "digest", NULL) && !json_object_get(json, "manifest")) {
		error_set(err, ERROR_USAGE,
			  "the image has only its descriptor: it was copied to a registry");
		return error_hint(err, "copy it to store: and give the document of that");
	}
	if (json_require(json, "the image", err, "{s:{s:s}, s:{s:{s:s}}, s:o, s?s}", "descriptor",
			 "digest", &i.digest, "manifest", "config", "digest", &i.id, "config",
			 &(json_t *){ NULL }, "name", &i.name) < 0)
		return -1;
	if (check_digest(i.digest, "manifest", err) < 0 ||
	    check_digest(i.id, "configuration", err) < 0 || read_layers(&i, err) < 0)
		return -1;
	*image = i;
	i = (struct image){ 0 };
	return 0;
}

int image_layout(const struct store *store, struct layout *layout, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/images", store->root);
	cleanup_layout struct layout own = { .fd = -1 };

	if (layout_open(path, true, &own, err) < 0)
		return -1;
	for (size_t i = 0; i < store->additional.count; i++) {
		cleanup_free char *other = xasprintf("%s/images", store->additional.items[i]);

		if (layout_add(&own, other, err) < 0)
			return error_prefix(err, "additional store %s", store->additional.items[i]);
	}
	own.is_store = true;
	*layout = own;
	own = (struct layout){ .fd = -1 };
	return 0;
}

/* ---- finding ---- */

void image_source_free(struct image_source *source)
{
	if (!source->index)
		return;
	json_decref(source->index);
	layout_close(&source->layout);
	free(source->rows);
	*source = (struct image_source){ .index = NULL };
}

static int open_source(const struct store *store, struct image_source *source, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };

	if (image_layout(store, &layout, err) < 0)
		return -1;
	source->index = layout_index(&layout, err);
	if (!source->index)
		return -1;
	source->layout = layout;
	layout = (struct layout){ .fd = -1 };
	return 0;
}

/* The digest of the manifest of the image with that id, where the list of images is known from
 * before: otherwise it takes a look at every manifest. The caller frees it. */
static char *find_id(const struct store *store, struct image_source *source, const char *name)
{
	cleanup_free char *id = strchr(name, ':') ? xstrdup(name) : xasprintf("sha256:%s", name);
	size_t length;

	if (!digest_is_valid(id))
		return NULL;
	if (!source->rows) {
		cleanup_free char *key = catalog_cache_key(&source->layout);

		source->rows = catalog_cache_read(store, key, &length);
	}
	json_auto_t *row = source->rows ? catalog_cache_find(source->rows, id) : NULL;
	return row ? xstrdup(json_text(row, "digest", "")) : NULL;
}

static json_t *resolve(const struct store *store, struct image_source *source, const char *name,
		       struct error *err)
{
	cleanup_free char *digest = find_id(store, source, name);
	const char *wanted = digest ? digest : name;
	json_t *entry = layout_resolve_in(&source->layout, source->index, wanted, err);

	for (size_t i = 0; !entry && err->kind == ERROR_NOT_FOUND && i < source->layout.other_count;
	     i++)
		entry = layout_resolve(&source->layout.others[i], wanted, err);
	if (!entry && err->kind == ERROR_NOT_FOUND && store_complete(store, err) == 0)
		error_hint(err, "see ctr-store images");
	return entry;
}

bool image_source_has(const struct store *store, struct image_source *source, const char *name)
{
	struct error ignored;

	if (!source->index && open_source(store, source, &ignored) < 0)
		return false;
	json_auto_t *entry = resolve(store, source, name, &ignored);
	return entry != NULL;
}

int image_source_find(const struct store *store, struct image_source *source, const char *name,
		      struct image *image, struct error *err)
{
	if (!source->index && open_source(store, source, err) < 0)
		return -1;
	json_auto_t *entry = resolve(store, source, name, err);
	if (!entry)
		return -1;
	json_auto_t *json = layout_image(&source->layout, entry, err);
	if (json)
		return image_from_json(json, image, err);
	error_prefix(err, "image %s", name);
	return err->kind == ERROR_NOT_FOUND && store_complete(store, err) == 0
		       ? error_hint(err, "pull it again, or name the additional store that has the "
					 "rest of it")
		       : -1;
}

int image_find(const struct store *store, const char *name, struct image *image, struct error *err)
{
	cleanup_image_source struct image_source source = { .index = NULL };

	return image_source_find(store, &source, name, image, err);
}

/* ---- making ---- */

json_t *image_describe(const char *media_type, const char *text)
{
	char digest[DIGEST_SIZE];

	digest_of(text, strlen(text), "sha256", digest);
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
			 (json_int_t)strlen(text));
}

void image_scratch(struct image *image)
{
	struct error impossible;
	json_auto_t *config = layout_platform();

	json_object_set_new(config, "config", json_object());
	json_object_set_new(config, "rootfs",
			    json_pack("{s:s, s:[]}", "type", "layers", "diff_ids"));
	cleanup_free char *config_text = json_compact(config);
	json_auto_t *manifest = json_pack("{s:i, s:s, s:o, s:[]}", "schemaVersion", 2, "mediaType",
					  IMAGE_MANIFEST_TYPE, "config",
					  image_describe(IMAGE_CONFIG_TYPE, config_text), "layers");
	cleanup_free char *manifest_text = json_compact(manifest);
	json_auto_t *json = json_pack("{s:s, s:o, s:O, s:O}", "name", "scratch", "descriptor",
				      image_describe(IMAGE_MANIFEST_TYPE, manifest_text),
				      "manifest", manifest, "config", config);
	image_from_json(json, image, &impossible);
}

char *image_new_name(const char *text, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(text, &reference, err) < 0)
		return NULL;
	if (reference.digest) {
		error_set(err, ERROR_USAGE, "\"%s\": a digest cannot be given as a name", text);
		return NULL;
	}
	reference_default_tag(&reference);
	return reference_text(&reference);
}

void image_free(struct image *image)
{
	json_decref(image->json);
	free(image->layers);
	*image = (struct image){ 0 };
}

const char *image_label(const struct image *image)
{
	return image->name ? image->name : image->id;
}

json_t *image_references(const struct image *image)
{
	json_t *digests = json_pack("[s, s]", image->digest, image->id);

	for (size_t i = 0; i < image->layer_count; i++) {
		json_array_append_new(digests, json_string(image->layers[i].blob));
		json_array_append_new(digests, json_string(image->layers[i].diff_id));
		json_array_append_new(digests, json_string(image->layers[i].chain_id));
	}
	return digests;
}
