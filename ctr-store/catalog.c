/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"

#include "ctr-store/catalog_cache.h"
#include "ctr-store/image.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* 0 where it says what cannot be. */
static json_int_t descriptor_size(const json_t *descriptor)
{
	json_int_t size = json_integer_value(json_object_get(descriptor, "size"));

	return size > 0 && size <= BLOB_SIZE_MAX ? size : 0;
}

/* Bytes of all blobs: the manifest, the configuration and the layers as they were pulled. */
static json_int_t total_size(const json_t *image)
{
	const json_t *manifest = json_object_get(image, "manifest");
	const json_t *layers = json_object_get(manifest, "layers"), *layer;
	json_int_t size = descriptor_size(json_object_get(image, "descriptor")) +
			  descriptor_size(json_object_get(manifest, "config"));
	size_t i;

	json_array_foreach (layers, i, layer) {
		size += descriptor_size(layer);
	}
	return size;
}

/* An OCI platform object from an image configuration. */
static json_t *make_platform(const json_t *config)
{
	static const char *const keys[] = { "os", "architecture", "variant", "os.version" };
	json_t *platform = json_object();

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_t *value = json_object_get(config, keys[i]);

		if (json_is_string(value) && json_string_length(value) > 0)
			json_object_set(platform, keys[i], value);
	}
	return platform;
}

static json_t *make_row(const json_t *image)
{
	const json_t *manifest = json_object_get(image, "manifest");
	const json_t *config = json_object_get(image, "config");
	json_t *labels = json_path(config, "config", "Labels", NULL);

	return json_pack("{s:s, s:[], s:[], s:s, s:I, s:s*, s:o, s:s*, s:o, s:I}", "id",
			 json_text(json_object_get(manifest, "config"), "digest", ""), "names",
			 "repoDigests", "digest",
			 json_text(json_object_get(image, "descriptor"), "digest", ""), "size",
			 total_size(image), "created", json_text(config, "created", NULL),
			 "platform", make_platform(config), "user",
			 json_text(json_object_get(config, "config"), "User", NULL), "labels",
			 json_is_object(labels) ? json_incref(labels) : json_object(), "layers",
			 (json_int_t)json_array_size(json_object_get(manifest, "layers")));
}

/* The rows in the making. */
struct listing {
	json_t *rows;
	json_t *by_id, *by_digest; /* so that no manifest is read twice and nothing is searched */
	json_t *names;		   /* set of those that came; in a later store they mean nothing */
	json_t *told;		   /* set of what is in the lists of the rows */
	bool whole;		   /* nothing had to be passed over */
};

static void listing_free(struct listing *listing)
{
	json_decref(listing->rows);
	json_decref(listing->by_id);
	json_decref(listing->by_digest);
	json_decref(listing->names);
	json_decref(listing->told);
}

/* The row for an entry of the index, made when it is the first of its image. Borrowed. */
static json_t *row_of(const struct listing *listing, const struct layout *layout,
		      const json_t *entry, struct error *err)
{
	const char *digest = json_text(entry, "digest", "");
	json_t *row = json_object_get(listing->by_digest, digest);

	if (row)
		return row;
	json_auto_t *image = layout_image(layout, entry, err);
	if (!image)
		return NULL;
	json_auto_t *made = make_row(image);
	const char *id = json_text(made, "id", "");
	row = json_object_get(listing->by_id, id);
	if (!row) {
		row = made;
		json_array_append(listing->rows, row);
		json_object_set(listing->by_id, id, row);
	}
	json_object_set(listing->by_digest, digest, row);
	return row;
}

/* To the list in the row, unless it is there. */
static void add_once(struct listing *listing, const json_t *row, const char *key, const char *text)
{
	cleanup_free char *place = xasprintf("%s %s %s", json_text(row, "id", ""), key, text);

	if (json_object_get(listing->told, place))
		return;
	json_object_set_new(listing->told, place, json_true());
	json_array_append_new(json_object_get(row, key), json_string(text));
}

/* A full name is one of `names` when it has a tag, and gives a `repoDigests` for what its
 * repository calls the image: the entry's own digest. */
static void add_name(struct listing *listing, const json_t *row, const json_t *entry)
{
	const char *name = layout_entry_name(entry);
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (!name)
		return;
	if (reference_parse(name, &reference, &ignored) < 0 || !strchr(name, '/')) {
		add_once(listing, row, "names", name);
		return;
	}
	cleanup_free char *repository = reference_name(&reference);
	cleanup_free char *digest = xasprintf("%s@%s", repository, json_text(entry, "digest", ""));
	add_once(listing, row, "repoDigests", digest);
	if (!reference.digest)
		add_once(listing, row, "names", name);
}

static void add_entry(struct listing *listing, const struct layout *layout, const json_t *entry,
		      const char *store)
{
	const char *name = layout_entry_name(entry);
	size_t before = json_array_size(listing->rows);
	struct error why;

	if (store && name && json_object_get(listing->names, name))
		return;
	json_t *row = row_of(listing, layout, entry, &why);
	if (!row) {
		listing->whole = false;
		log_message(LOG_LEVEL_WARN, "%s is not shown: %s",
			    name ? name : json_text(entry, "digest", "?"), why.message);
		return;
	}
	if (store && json_array_size(listing->rows) > before)
		json_object_set_new(row, "store", json_string(store));
	add_name(listing, row, entry);
}

/* `store` is NULL for our own. */
static int add_index(struct listing *listing, const struct layout *layout, const char *store,
		     struct error *err)
{
	json_auto_t *index = layout_index(layout, err);
	const json_t *entry;
	size_t i;

	if (!index)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		add_entry(listing, layout, entry, store);
	}
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		const char *name = layout_entry_name(entry);

		if (name)
			json_object_set_new(listing->names, name, json_true());
	}
	return 0;
}

/* From the indexes and the blobs. *whole: nothing had to be passed over. */
static json_t *read_rows(const struct store *store, const struct layout *layout, bool *whole,
			 struct error *err)
{
	__attribute__((cleanup(listing_free))) struct listing listing = { .whole = true };

	listing.rows = json_array();
	listing.by_id = json_object();
	listing.by_digest = json_object();
	listing.names = json_object();
	listing.told = json_object();
	if (add_index(&listing, layout, NULL, err) < 0)
		return NULL;
	for (size_t i = 0; i < layout->other_count; i++)
		if (add_index(&listing, &layout->others[i], store->additional.items[i], err) < 0)
			return NULL;
	*whole = listing.whole;
	return json_incref(listing.rows);
}

/* The rows as text, one a line, where they are known from before; else *rows. Both are the
 * caller's. */
static int get_rows(const struct store *store, char **lines, size_t *length, json_t **rows,
		    struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	bool whole = true;

	if (image_layout(store, &layout, err) < 0)
		return -1;
	cleanup_free char *key = catalog_cache_key(&layout);
	*lines = catalog_cache_read(store, key, length);
	if (*lines)
		return 0;
	*rows = read_rows(store, &layout, &whole, err);
	if (!*rows)
		return -1;
	if (whole)
		catalog_cache_write(store, key, *rows);
	return 0;
}

json_t *catalog_rows(const struct store *store, struct error *err)
{
	cleanup_free char *lines = NULL;
	json_auto_t *rows = NULL;
	size_t length;

	if (get_rows(store, &lines, &length, &rows, err) < 0)
		return NULL;
	if (rows)
		return json_incref(rows);
	rows = json_array();
	for (const char *line = lines; *line; line += strcspn(line, "\n") + 1) {
		json_t *row = catalog_cache_parse(line, err);

		if (!row)
			return NULL;
		json_array_append_new(rows, row);
	}
	return json_incref(rows);
}

int catalog_print_lines(const struct store *store, struct error *err)
{
	cleanup_free char *lines = NULL;
	json_auto_t *rows = NULL;
	size_t length;

	if (get_rows(store, &lines, &length, &rows, err) < 0)
		return -1;
	if (!lines)
		return output_json_lines(rows, err);
	return fwrite(lines, 1, length, stdout) < length ? error_os(err, "standard output") : 0;
}

json_t *catalog_row(const struct store *store, const char *id, const char *name, struct error *err)
{
	cleanup_free char *lines = NULL;
	json_auto_t *rows = NULL;
	json_t *row;
	size_t i, length;

	if (get_rows(store, &lines, &length, &rows, err) < 0)
		return NULL;
	if (lines) {
		row = catalog_cache_find(lines, id);
		if (row)
			return row;
	}
	json_array_foreach (rows, i, row) {
		if (strcmp(json_text(row, "id", ""), id) == 0)
			return json_incref(row);
	}
	error_set(err, ERROR_NOT_FOUND, "image %s was removed meanwhile", name);
	return NULL;
}

json_t *catalog_find(const struct store *store, const char *name, struct error *err)
{
	cleanup_image struct image image = { 0 };

	return image_find(store, name, &image, err) < 0 ? NULL
							: catalog_row(store, image.id, name, err);
}

char *catalog_entry_id(const struct layout *layout, const json_t *entry)
{
	struct error ignored;
	json_auto_t *image = layout_image(layout, entry, &ignored);

	return xstrdup(json_text(json_path(image, "manifest", "config", NULL), "digest",
				 json_text(entry, "digest", "")));
}
