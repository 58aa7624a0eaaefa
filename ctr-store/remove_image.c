/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/remove_image.h"

#include "ctr-store/catalog.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/image.h"
#include "ctr-store/manifests.h"
#include "ctr-store/record.h"
#include "ctr-store/sweep.h"
#include "ctr-store/trash.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <stdlib.h>
#include <string.h>

/* Whether `name` says the entry's name, whole or its end, rather than a digest or an id. */
static bool names_entry(const char *name, const json_t *entry)
{
	const char *full = layout_entry_name(entry);
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

/* All maps are objects of jansson; entries are those of `index`. */
struct removals {
	const struct store *store;
	struct layout layout;
	struct manifests manifests; /* until something is removed */
	struct sweep sweep;
	struct trash trash;
	int gate;
	json_t *index;
	json_t *by_name, *by_digest; /* entry */
	json_t *by_id;		     /* array of the image's entries that stay so far */
	json_t *ids;		     /* image id of an entry's digest */
	json_t *mounts, *containers; /* of an image id: where, whose; NULL: not read yet */
	json_t *leaving;	     /* set of entries, by their text */
	json_t *nameless;	     /* array of entries that only lose their names */
	json_t *objects;	     /* set of hex parts of digests that may be unused then */
	json_t *results;	     /* array of what is to be printed */
};

void removals_free(struct removals *removals)
{
	if (!removals)
		return;
	manifests_close(&removals->manifests);
	json_decref(removals->index);
	json_decref(removals->by_name);
	json_decref(removals->by_digest);
	json_decref(removals->by_id);
	json_decref(removals->ids);
	json_decref(removals->mounts);
	json_decref(removals->containers);
	json_decref(removals->leaving);
	json_decref(removals->nameless);
	json_decref(removals->objects);
	json_decref(removals->results);
	cleanup_fd_p(&removals->gate);
	trash_empty(&removals->trash);
	layout_close(&removals->layout);
	free(removals);
}

/* ---- what there is ---- */

static const char *id_of(const struct removals *removals, const json_t *entry)
{
	return json_text(removals->ids, json_text(entry, "digest", ""), "");
}

/* What the entry's image is known by, be it damaged. NULL when that cannot be told. */
static json_t *read_id(struct removals *removals, const json_t *entry, struct error *err)
{
	bool failed;
	const char *words =
		manifests_get(&removals->manifests, json_text(entry, "digest", ""), &failed, err);
	struct manifest_word word;

	if (failed)
		return NULL;
	while (words && manifests_next(&words, &word))
		if (word.kind == MANIFEST_IMAGE)
			return json_stringn(word.text, word.length);
	cleanup_free char *found = catalog_entry_id(&removals->layout, entry);
	return json_string(found);
}

static int add_entry(struct removals *removals, json_t *entry, struct error *err)
{
	const char *digest = json_text(entry, "digest", ""), *name = layout_entry_name(entry);

	if (!json_object_get(removals->ids, digest)) {
		json_t *known_by = read_id(removals, entry, err);

		if (!known_by)
			return -1;
		json_object_set_new(removals->ids, digest, known_by);
	}
	if (name)
		json_object_set(removals->by_name, name, entry);
	if (!json_object_get(removals->by_digest, digest))
		json_object_set(removals->by_digest, digest, entry);
	const char *id = id_of(removals, entry);
	json_t *entries = json_object_get(removals->by_id, id);
	if (!entries)
		json_object_set_new(removals->by_id, id, entries = json_array());
	return json_array_append(entries, entry);
}

struct removals *removals_new(const struct store *store, struct error *err)
{
	cleanup_removals struct removals *removals = xcalloc(1, sizeof *removals);
	json_t *entry;
	size_t i;

	*removals = (struct removals){ .store = store,
				       .layout = { .fd = -1 },
				       .trash = { .store = store },
				       .gate = -1,
				       .by_name = json_object(),
				       .by_digest = json_object(),
				       .by_id = json_object(),
				       .ids = json_object(),
				       .leaving = json_object(),
				       .nameless = json_array(),
				       .objects = json_object(),
				       .results = json_array() };
	if (image_layout(store, &removals->layout, err) < 0)
		return NULL;
	/* nobody looks these images up until they are gone or found to be in use */
	removals->gate = staging_gate(store, LOCK_EXCLUSIVE, err);
	removals->index = removals->gate < 0 ? NULL : layout_index(&removals->layout, err);
	if (!removals->index)
		return NULL;
	manifests_open(&removals->manifests, store, &removals->layout, false);
	json_array_foreach (json_object_get(removals->index, "manifests"), i, entry) {
		if (add_entry(removals, entry, err) < 0)
			return NULL;
	}
	return steal_ptr(&removals);
}

/* ---- finding ---- */

static bool has_left(const struct removals *removals, const json_t *entry)
{
	cleanup_free char *text = json_compact(entry);

	return json_object_get(removals->leaving, text) != NULL;
}

/* What can be found without looking at every entry; borrowed. */
static json_t *find_at_once(const struct removals *removals, const char *name)
{
	struct error ignored;
	cleanup_free char *normal = image_new_name(name, &ignored);
	json_t *entry = json_object_get(removals->by_name, name);

	if (!entry && normal)
		entry = json_object_get(removals->by_name, normal);
	if (!entry)
		entry = json_object_get(removals->by_digest, name);
	return entry ? entry : json_array_get(json_object_get(removals->by_id, name), 0);
}

/* ERROR_DENIED for what is in an additional store. */
static int check_others(const struct removals *removals, const char *name, struct error *err)
{
	struct error ignored;

	for (size_t i = 0; i < removals->layout.other_count; i++) {
		json_auto_t *entry = layout_resolve(&removals->layout.others[i], name, &ignored);

		if (!entry)
			continue;
		error_set(err, ERROR_DENIED, "image %s is in the store %s, which is only read",
			  name, removals->store->additional.items[i]);
		return error_subject(err, name);
	}
	return 0;
}

/* The caller owns it. */
static json_t *find_entry(const struct removals *removals, const char *name, struct error *err)
{
	json_t *entry = find_at_once(removals, name);
	json_auto_t *found =
		entry && !has_left(removals, entry)
			? json_incref(entry)
			: layout_resolve_in(&removals->layout, removals->index, name, err);

	if (found && !has_left(removals, found))
		return json_incref(found);
	if (found)
		error_set(err, ERROR_NOT_FOUND, "no image \"%s\"", name);
	if (err->kind == ERROR_NOT_FOUND && check_others(removals, name, err) == 0 &&
	    store_complete(removals->store, err) == 0)
		error_hint(err, "see ctr-store images");
	return NULL;
}

/* ---- who uses it ---- */

static int read_users(struct removals *removals, struct error *err)
{
	json_auto_t *records = record_list(removals->store, false, NULL, err);
	json_auto_t *containers = records ? container_list(removals->store, err) : NULL;
	const json_t *user;
	size_t i;

	if (!containers)
		return -1;
	removals->mounts = json_object();
	removals->containers = json_object();
	json_array_foreach (records, i, user) {
		json_object_set_new(removals->mounts, json_text(user, "imageId", ""),
				    json_string(json_text(user, "target", "?")));
	}
	json_array_foreach (containers, i, user) {
		json_object_set_new(removals->containers,
				    json_text(json_object_get(user, "image"), "id", ""),
				    json_string(container_label(user)));
	}
	return 0;
}

/* Says who mounts the image or has a container of it. */
static int check_unused(struct removals *removals, const char *name, const char *id,
			struct error *err)
{
	if (!removals->mounts && read_users(removals, err) < 0)
		return -1;

	const char *target = json_text(removals->mounts, id, NULL);
	const char *container = json_text(removals->containers, id, NULL);
	if (target)
		error_set(err, ERROR_IN_USE, "image %s is in use, mounted at %s", name, target);
	else if (container)
		error_set(err, ERROR_IN_USE, "image %s is in use, by container %s", name,
			  container);
	else
		return 0;
	return error_subject(err, name);
}

/* ---- adding ---- */

/* All that the manifest leads to, of each platform, for the sweep. */
static int add_objects(struct removals *removals, const char *digest, int nesting,
		       struct error *err)
{
	struct manifest_word word;
	bool failed;

	if (!digest_is_valid(digest) || json_object_get(removals->objects, digest_hex(digest)))
		return 0;
	json_object_set_new(removals->objects, digest_hex(digest), json_true());
	const char *words = manifests_get(&removals->manifests, digest, &failed, err);
	if (!words)
		return failed ? -1 : 0;
	while (manifests_next(&words, &word)) {
		cleanup_free char *text = xstrndup(word.text, word.length);

		if (word.kind == MANIFEST_BLOB || word.kind == MANIFEST_LAYER)
			json_object_set_new(removals->objects, text, json_true());
		if (word.kind == MANIFEST_CHILD && nesting < MANIFESTS_NESTING_MAX &&
		    add_objects(removals, text, nesting + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int add_all_objects(struct removals *removals, const json_t *entries, struct error *err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		if (add_objects(removals, json_text(entry, "digest", ""), 0, err) < 0)
			return -1;
	}
	return 0;
}

/* The entries leave; returns their names. */
static json_t *let_go(struct removals *removals, const json_t *entries)
{
	json_t *names = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *name = layout_entry_name(entry);
		cleanup_free char *text = json_compact(entry);

		json_object_set_new(removals->leaving, text, json_true());
		if (name)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

/* An entry without a name, so that the image stays when its last name goes. */
static void keep_nameless(const struct removals *removals, const json_t *entry)
{
	json_t *nameless = json_deep_copy(entry);

	json_object_del(json_object_get(nameless, "annotations"), LAYOUT_REF_NAME);
	json_array_append_new(removals->nameless, nameless);
}

/* The entries of the image that stay when `leaving`, or all (NULL), goes. */
static json_t *rest_of(const json_t *entries, const json_t *leaving)
{
	json_t *rest = json_array(), *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		if (leaving && !json_equal(entry, leaving))
			json_array_append(rest, entry);
	}
	return rest;
}

int removals_add(struct removals *removals, const struct removal *removal, struct error *err)
{
	json_auto_t *entry = find_entry(removals, removal->name, err);

	if (!entry)
		return -1;
	const char *id = id_of(removals, entry);
	bool only_this = !removal->all && names_entry(removal->name, entry);
	json_auto_t *entries = json_incref(json_object_get(removals->by_id, id));
	json_auto_t *rest = rest_of(entries, only_this ? entry : NULL);
	bool last = json_array_size(rest) == 0;
	bool goes = last && !removal->keep;
	if (goes && !removal->force && check_unused(removals, removal->name, id, err) < 0)
		return -1;
	/* before its name is gone: what else needs its layers cannot be told then */
	if (goes && store_complete(removals->store, err) < 0)
		return -1;
	if (goes && add_all_objects(removals, entries, err) < 0)
		return -1;
	if (last && removal->keep)
		keep_nameless(removals, entry);

	json_auto_t *one = json_pack("[O]", entry);
	json_t *result =
		json_pack("{s:o}", "untagged", let_go(removals, only_this ? one : entries));
	if (goes)
		json_object_set_new(result, "removed", json_string(id));
	json_object_set(removals->by_id, id, rest);
	return json_array_append_new(removals->results, result);
}

/* As `names` of ctr-store images. */
static bool is_tagged(const json_t *entry)
{
	const char *name = layout_entry_name(entry);
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	return name && (reference_parse(name, &reference, &ignored) < 0 || !reference.digest);
}

static bool any_is_tagged(const json_t *entries)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		if (is_tagged(entry))
			return true;
	}
	return false;
}

int removals_add_untagged(struct removals *removals, struct error *err)
{
	json_auto_t *images = json_copy(removals->by_id);
	const char *id;
	json_t *entries;

	json_object_foreach (images, id, entries) {
		const json_t *entry = json_array_get(entries, 0);
		const struct removal removal = { .name = json_text(entry, "digest", ""),
						 .all = true };

		if (any_is_tagged(entries))
			continue;
		if (removals_add(removals, &removal, err) < 0 && err->kind != ERROR_IN_USE)
			return -1;
	}
	return 0;
}

/* ---- doing ---- */

static bool is_leaving(const json_t *entry, void *context)
{
	return has_left(context, entry);
}

static int remove_all(struct removals *removals, struct error *err)
{
	removals->sweep = (struct sweep){ .store = removals->store,
					  .trash = &removals->trash,
					  .only = removals->objects };
	manifests_close(&removals->manifests);
	if (layout_untag(&removals->layout, is_leaving, removals, removals->nameless, err) < 0)
		return -1;
	return json_object_size(removals->objects) > 0 ? sweep_run(&removals->sweep, err) : 0;
}

int removals_finish(const struct cli *cli, struct removals *removals, struct error *err)
{
	const json_t *result;
	size_t i;

	if (json_array_size(removals->results) > 0 && remove_all(removals, err) < 0)
		return -1;
	/* who reads this may take his time */
	cleanup_fd_p(&removals->gate);
	json_array_foreach (removals->results, i, result) {
		if (output_object(cli, result, err) < 0)
			return -1;
	}
	return 0;
}
