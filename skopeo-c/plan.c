/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/plan.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

enum {
	NESTING_MAX = 4,
	MANIFESTS_MAX = 1000,
	BYTES_MAX = 64 << 20 /* of all manifests together */
};

/* "OS/ARCHITECTURE[/VARIANT]" as an OCI platform object. */
static json_t *parse_platform(const char *text, size_t length, struct error *err)
{
	cleanup_free char *copy = xstrndup(text, length);
	char *architecture = strchr(copy, '/');
	char *variant = architecture ? strchr(architecture + 1, '/') : NULL;

	if (architecture)
		*architecture++ = '\0';
	if (variant)
		*variant++ = '\0';
	if (!architecture || !copy[0] || !architecture[0]) {
		error_set(err, ERROR_USAGE, "\"%.*s\" is not a platform, OS/ARCHITECTURE[/VARIANT]",
			  (int)length, text);
		return NULL;
	}
	json_t *platform = json_pack("{s:s, s:s}", "os", copy, "architecture", architecture);
	if (variant)
		json_object_set_new(platform, "variant", json_string(variant));
	return platform;
}

json_t *platform_wanted(const struct platform_choice *choice, struct error *err)
{
	json_t *platform;

	if (choice->platform && (choice->os || choice->architecture || choice->variant)) {
		error_set(err, ERROR_USAGE, "--platform says all that --override-... would");
		return NULL;
	}
	if (choice->platform)
		return parse_platform(choice->platform, strlen(choice->platform), err);
	platform = layout_platform();
	/* a variant belongs to its architecture */
	if (choice->architecture) {
		json_object_set_new(platform, "architecture", json_string(choice->architecture));
		json_object_del(platform, "variant");
	}
	if (choice->os)
		json_object_set_new(platform, "os", json_string(choice->os));
	if (choice->variant)
		json_object_set_new(platform, "variant", json_string(choice->variant));
	return platform;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		manifest_free(&plan->manifests[i]);
	for (size_t i = 0; i < plan->left_count; i++)
		manifest_free(&plan->left[i]);
	free(plan->left);
	free(plan->manifests);
	json_decref(plan->is_there);
	*plan = (struct plan){ 0 };
}

const struct manifest *plan_top(const struct plan *plan)
{
	return &plan->manifests[plan->count - 1];
}

/* Where manifests are read. */
struct reader {
	struct transport *from, *known; /* the latter is tried first; or NULL */
};

/* digest: which one it is, or NULL. name: by what it is asked for; NULL: by the transport's name.
 */
static int get(const struct reader *reader, const char *digest, const char *name,
	       struct manifest *manifest, struct error *err)
{
	struct transport *from = reader->from, *known = reader->known;
	struct error ignored;

	if (known && digest && known->class->get_manifest(known, digest, manifest, &ignored) == 0)
		return 0;
	return from->class->get_manifest(from, name, manifest, err);
}

/* Read what an entry of an index names, and see that it is just that. */
static int get_entry(const struct reader *reader, const json_t *entry, struct manifest *manifest,
		     struct error *err)
{
	const struct transport *from = reader->from;
	struct blob blob;

	if (blob_from_json(entry, from->name, &blob, err) < 0 ||
	    get(reader, blob.digest, blob.digest, manifest, err) < 0)
		return -1;
	if (manifest_check_entry(manifest, &blob, from->name, err) == 0)
		return 0;
	manifest_free(manifest);
	return -1;
}

/* Keep an index that is not copied. */
static void leave(struct plan *plan, struct manifest *index)
{
	plan->left = xgrow(plan->left, plan->left_count, sizeof *plan->left);
	plan->left[plan->left_count++] = *index;
	*index = (struct manifest){ 0 };
}

static bool is_known(const json_t *entry, const char *digest)
{
	return digest && strcmp(json_text(entry, "digest", ""), digest) == 0 &&
	       !layout_is_index_type(json_text(entry, "mediaType", ""));
}

/* With a plan, the indexes on the way are left to it, and so is the image where it is at the
 * destination already. */
static int choose(const struct reader *reader, struct manifest *top, const json_t *platform,
		  const char *at_destination, struct plan *plan, struct error *err)
{
	const struct transport *from = reader->from;

	for (int nesting = 0; top->is_index; nesting++) {
		struct manifest next;
		const json_t *entry = layout_choose_platform(top->json, platform, from->name, err);

		if (!entry)
			return -1;
		if (nesting == NESTING_MAX)
			return error_set(err, ERROR_INTEGRITY,
					 "%s: indexes are nested deeper than %d levels", from->name,
					 NESTING_MAX);
		if (plan && is_known(entry, at_destination)) {
			plan->is_there = json_deep_copy(entry);
			return 0;
		}
		if (get_entry(reader, entry, &next, err) < 0)
			return -1;
		if (plan)
			leave(plan, top);
		manifest_free(top);
		*top = next;
	}
	return 0;
}

int plan_choose(struct transport *from, struct manifest *top, const json_t *platform,
		struct error *err)
{
	const struct reader reader = { .from = from };

	return choose(&reader, top, platform, NULL, NULL, err);
}

/* ---- everything ---- */

static bool is_planned(const struct plan *plan, const char *digest)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->manifests[i].digest, digest) == 0)
			return true;
	return false;
}

static int add(struct plan *plan, struct manifest *manifest, const char *name, struct error *err)
{
	if (plan->count == MANIFESTS_MAX || plan->bytes + manifest->length > BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "%s: the index names too many images", name);
	plan->manifests = xgrow(plan->manifests, plan->count, sizeof *plan->manifests);
	plan->manifests[plan->count++] = *manifest;
	plan->bytes += manifest->length;
	*manifest = (struct manifest){ 0 };
	return 0;
}

/* Add everything that the index names, and what that names; with `wanted`, an object with digests
 * as its keys, only these. */
static int add_entries(const struct reader *reader, const struct manifest *index,
		       const json_t *wanted, int nesting, struct plan *plan, struct error *err)
{
	const struct transport *from = reader->from;
	const json_t *entry;
	size_t i;

	if (nesting > NESTING_MAX)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: indexes are nested deeper than %d levels", from->name,
				 NESTING_MAX);
	json_array_foreach (json_object_get(index->json, "manifests"), i, entry) {
		cleanup_manifest struct manifest manifest = { 0 };

		if (is_planned(plan, json_text(entry, "digest", "")) ||
		    (wanted && !json_object_get(wanted, json_text(entry, "digest", ""))))
			continue;
		if (get_entry(reader, entry, &manifest, err) < 0)
			return -1;
		if (manifest.is_index &&
		    add_entries(reader, &manifest, NULL, nesting + 1, plan, err) < 0)
			return -1;
		if (add(plan, &manifest, from->name, err) < 0)
			return -1;
	}
	return 0;
}

/* The image for the platform among those that are planned, following indexes from the top. */
static const struct manifest *find_image(const struct plan *plan, const json_t *platform)
{
	const struct manifest *at = plan_top(plan);
	struct error ignored;

	for (int nesting = 0; at && at->is_index && nesting <= NESTING_MAX; nesting++) {
		const json_t *entry = layout_choose_platform(at->json, platform, "index", &ignored);
		const char *digest = json_text(entry, "digest", "");

		at = NULL;
		for (size_t i = 0; i < plan->count; i++)
			if (strcmp(plan->manifests[i].digest, digest) == 0)
				at = &plan->manifests[i];
	}
	return at && !at->is_index ? at : NULL;
}

/* ---- some ---- */

/* The digests of the entries for the platforms, as the keys of an object; the caller owns it. */
static json_t *choose_listed(const struct transport *from, const json_t *index,
			     const char *platforms, struct error *err)
{
	json_auto_t *wanted = json_object();

	for (const char *at = platforms;; at++) {
		size_t length = strcspn(at, ",");
		json_auto_t *platform = parse_platform(at, length, err);
		const json_t *entry =
			platform ? layout_choose_platform(index, platform, from->name, err) : NULL;

		if (!entry)
			return NULL;
		json_object_set_new(wanted, json_text(entry, "digest", ""), json_true());
		at += length;
		if (!*at)
			return json_incref(wanted);
	}
}

/* What was said of a chosen image (buildkit's attestations) goes with it. */
static void add_attestations(const json_t *index, json_t *wanted)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		const char *subject = json_text(json_object_get(entry, "annotations"),
						"vnd.docker.reference.digest", "");

		if (json_object_get(wanted, subject))
			json_object_set_new(wanted, json_text(entry, "digest", ""), json_true());
	}
}

/* Let the index name only what is wanted. */
static int reduce_index(struct manifest *index, const json_t *wanted, const char *what,
			struct plan *plan, struct error *err)
{
	json_auto_t *json = json_deep_copy(index->json);
	json_t *entries = json_object_get(json, "manifests"); /* borrowed from json */
	struct manifest reduced;

	for (size_t i = json_array_size(entries); i-- > 0;)
		if (!json_object_get(wanted, json_text(json_array_get(entries, i), "digest", "")))
			json_array_remove(entries, i);
	if (json_array_size(entries) == json_array_size(json_object_get(index->json, "manifests")))
		return 0;
	char *bytes = json_compact(json);
	if (manifest_parse(bytes, strlen(bytes), index->media_type, NULL, what, &reduced, err) < 0)
		return -1;
	leave(plan, index);
	plan->is_reduced = true;
	*index = reduced;
	return 0;
}

static int add_listed(const struct reader *reader, struct manifest *top,
		      const struct plan_choice *choice, struct plan *plan, struct error *err)
{
	const struct transport *from = reader->from;
	json_auto_t *wanted = choose_listed(from, top->json, choice->platforms, err);

	if (!wanted)
		return -1;
	add_attestations(top->json, wanted);
	if (add_entries(reader, top, wanted, 0, plan, err) < 0)
		return -1;
	return choice->keep_index ? 0 : reduce_index(top, wanted, from->name, plan, err);
}

/* What the top names, as far as it was chosen. */
static int add_chosen(const struct reader *reader, struct manifest *top,
		      const struct plan_choice *choice, const json_t *platform,
		      const char *at_destination, struct plan *plan, struct error *err)
{
	switch (choice->which) {
	case PLAN_SYSTEM:
		return choose(reader, top, platform, at_destination, plan, err);
	case PLAN_ALL:
		return top->is_index ? add_entries(reader, top, NULL, 0, plan, err) : 0;
	case PLAN_LISTED:
		return top->is_index ? add_listed(reader, top, choice, plan, err) : 0;
	case PLAN_INDEX_ONLY: /* what is no index is copied */
		break;
	}
	return 0;
}

int plan_make(struct transport *from, const struct plan_known *known,
	      const struct plan_choice *choice, struct plan *plan, struct error *err)
{
	const struct reader reader = { .from = from, .known = known->transport };
	cleanup_plan struct plan p = { 0 };
	cleanup_manifest struct manifest top = { 0 };
	json_auto_t *platform = platform_wanted(&choice->platform, err);

	if (!platform || get(&reader, known->top, NULL, &top, err) < 0 ||
	    add_chosen(&reader, &top, choice, platform, known->image, &p, err) < 0)
		return -1;
	if (!p.is_there && add(&p, &top, from->name, err) < 0)
		return -1;
	p.image = p.count > 0 ? find_image(&p, platform) : NULL;
	*plan = p;
	p = (struct plan){ 0 };
	return 0;
}
