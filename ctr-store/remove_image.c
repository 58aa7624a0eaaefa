/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/remove_image.h"

#include "ctr-store/catalog.h"
#include "ctr-store/container.h"
#include "ctr-store/image.h"
#include "ctr-store/record.h"
#include "ctr-store/sweep.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <string.h>

bool remove_image_exists(const struct store *store, const char *name)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	struct error ignored;

	if (image_layout(store, &layout, &ignored) < 0)
		return false;
	json_auto_t *entry = layout_resolve(&layout, name, &ignored);
	return entry != NULL;
}

/* Whether `name` says the entry's name, whole or its end, rather than a digest or an id. */
static bool names_entry(const char *name, const json_t *entry)
{
	const char *full = catalog_entry_name(entry);
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (!full || strcmp(full, name) == 0)
		return full != NULL;
	if (reference_parse(name, &reference, &ignored) < 0 || reference.digest)
		return false;
	const char *last = strrchr(name, '/');
	const char *tag = strchr(last ? last : name, ':');
	cleanup_free char *tagged = tag ? xstrdup(name) : xasprintf("%s:latest", name);
	reference_default_tag(&reference);
	cleanup_free char *normal = reference_text(&reference);
	size_t length = strlen(full), end = strlen(tagged);
	return strcmp(full, normal) == 0 || (length > end && full[length - end - 1] == '/' &&
					     strcmp(full + length - end, tagged) == 0);
}

/* The entries of the index that make up one image, and what to do with them. */
struct plan {
	json_t *entries; /* all of the image */
	json_t *leaving; /* those of them that go */
};

static void plan_free(struct plan *plan)
{
	json_decref(plan->entries);
	json_decref(plan->leaving);
}

static int make_plan(const struct layout *layout, const struct removal *removal,
		     const json_t *entry, const char *id, struct plan *plan, struct error *err)
{
	json_auto_t *index = layout_index(layout, err);
	bool only_this = !removal->all && names_entry(removal->name, entry);
	const json_t *other;
	size_t i;

	if (!index)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, other) {
		cleanup_free char *other_id = catalog_entry_id(layout, other);

		if (strcmp(other_id, id) != 0)
			continue;
		json_array_append(plan->entries, (json_t *)other);
		if (!only_this || json_equal(other, entry))
			json_array_append(plan->leaving, (json_t *)other);
	}
	return 0;
}

/* Says who mounts the image or has a container of it. */
static int check_unused(const struct store *store, const char *name, const char *id,
			struct error *err)
{
	json_auto_t *records = record_list(store, false, NULL, err);
	json_auto_t *containers = records ? container_list(store, err) : NULL;
	const json_t *user;
	size_t i;

	if (!containers)
		return -1;
	json_array_foreach (records, i, user) {
		if (strcmp(json_text(user, "imageId", ""), id) != 0)
			continue;
		error_set(err, ERROR_IN_USE, "image %s is in use, mounted at %s", name,
			  json_text(user, "target", "?"));
		return error_subject(err, name);
	}
	json_array_foreach (containers, i, user) {
		if (strcmp(json_text(json_object_get(user, "image"), "id", ""), id) != 0)
			continue;
		error_set(err, ERROR_IN_USE, "image %s is in use, by container %s", name,
			  container_label(user));
		return error_subject(err, name);
	}
	return 0;
}

static bool is_leaving(const json_t *entry, void *context)
{
	const json_t *leaving = context, *other;
	size_t i;

	json_array_foreach (leaving, i, other) {
		if (json_equal(entry, other))
			return true;
	}
	return false;
}

/* Every digest that the image's entries lead to, for the sweep. */
static json_t *list_objects(const struct layout *layout, const json_t *entries)
{
	json_t *digests = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		cleanup_image struct image image = { 0 };
		struct error ignored;
		json_auto_t *json = layout_image(layout, entry, &ignored);

		json_array_append(digests, json_object_get(entry, "digest"));
		if (json && image_from_json(json, &image, &ignored) == 0) {
			json_auto_t *more = image_references(&image);

			json_array_extend(digests, more);
		}
	}
	return digests;
}

static json_t *list_names(const json_t *entries)
{
	json_t *names = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *name = catalog_entry_name(entry);

		if (name)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

/* An entry without a name, so that the image stays when its last name goes. */
static int keep_nameless(const struct layout *layout, const json_t *entry, struct error *err)
{
	json_auto_t *nameless = json_deep_copy(entry);

	json_object_del(json_object_get(nameless, "annotations"), LAYOUT_REF_NAME);
	return layout_tag(layout, NULL, nameless, err);
}

static json_t *apply(const struct store *store, const struct layout *layout,
		     const struct removal *removal, const struct staging *trash,
		     const json_t *entry, struct error *err)
{
	__attribute__((cleanup(plan_free))) struct plan plan = { json_array(), json_array() };
	cleanup_free char *id = catalog_entry_id(layout, entry);

	if (make_plan(layout, removal, entry, id, &plan, err) < 0)
		return NULL;
	bool last = json_array_size(plan.leaving) == json_array_size(plan.entries);
	if (last && removal->keep && keep_nameless(layout, entry, err) < 0)
		return NULL;
	if (last && !removal->keep && !removal->force &&
	    check_unused(store, removal->name, id, err) < 0)
		return NULL;
	json_auto_t *objects = list_objects(layout, plan.entries);
	if (layout_untag(layout, is_leaving, plan.leaving, err) < 0)
		return NULL;

	json_t *result = json_pack("{s:o}", "untagged", list_names(plan.leaving));
	if (!last || removal->keep)
		return result;
	json_object_set_new(result, "removed", json_string(id));
	struct sweep sweep = { .store = store, .trash = trash, .only = objects };
	if (sweep_run(&sweep, err) < 0) {
		json_decref(result);
		return NULL;
	}
	return result;
}

json_t *remove_image(const struct store *store, const struct removal *removal, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	cleanup_staging struct staging trash = { .fd = -1, .lock_fd = -1 };

	if (image_layout(store, &layout, err) < 0 || staging_open(store, &trash, err) < 0)
		return NULL;
	/* nobody looks this image up until it is gone or found to be in use */
	cleanup_fd int gate = staging_gate(store, LOCK_EXCLUSIVE, err);
	json_auto_t *entry = gate < 0 ? NULL : layout_resolve(&layout, removal->name, err);
	if (!entry) {
		if (gate >= 0 && err->kind == ERROR_NOT_FOUND)
			error_hint(err, "see ctr-store images");
		return NULL;
	}
	return apply(store, &layout, removal, &trash, entry, err);
}
