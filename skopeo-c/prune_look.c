/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/prune_look.h"

#include "lib/json.h"
#include "skopeo-c/image_age.h"
#include "skopeo-c/transport.h"

#include <string.h>

enum {
	DEPTH_MAX = 4, /* of indexes in indexes */
	NEEDS_MAX = 10000
};

/* ---- ages ---- */

int prune_look_ages(struct transport *from, struct prune_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->image_count; i++) {
		struct prune_image *image = &plan->images[i];

		if (image->is_candidate && image_age(from, image->digest, &image->made, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- needs ---- */

/* What is not there says nothing; an index may be there without its images. */
static int read_manifest(struct transport *from, const char *digest, struct manifest *manifest,
			 struct error *err)
{
	if (from->class->get_manifest(from, digest, manifest, err) == 0)
		return 1;
	return err->kind == ERROR_NOT_FOUND ? 0 : -1;
}

static int add_needs(struct transport *from, const char *digest, int depth, json_t *needs,
		     struct error *err)
{
	cleanup_manifest struct manifest manifest = { 0 };
	const json_t *entry;
	size_t i;
	int status = read_manifest(from, digest, &manifest, err);

	if (status <= 0 || !manifest.is_index)
		return status < 0 ? -1 : 0;
	if (depth == DEPTH_MAX)
		return error_set(err, ERROR_LIMIT, "%s: indexes in indexes, more than %d deep",
				 digest, DEPTH_MAX);
	json_array_foreach (json_object_get(manifest.json, "manifests"), i, entry) {
		const char *type = json_text(entry, "mediaType", "");
		const char *named = json_text(entry, "digest", "");
		bool may_be_index =
			strcmp(type, MANIFEST_OCI) != 0 && strcmp(type, MANIFEST_DOCKER) != 0;

		if (!digest_is_valid(named))
			return error_set(err, ERROR_INTEGRITY,
					 "%s: names \"%s\", which is no digest", digest, named);
		if (json_array_size(needs) == NEEDS_MAX)
			return error_set(err, ERROR_LIMIT, "%s: names more than %d manifests",
					 digest, NEEDS_MAX);
		json_array_append_new(needs, json_string(named));
		if (may_be_index && add_needs(from, named, depth + 1, needs, err) < 0)
			return -1;
	}
	return 0;
}

int prune_look_index(struct transport *from, const char *digest, json_t *needs, struct error *err)
{
	return add_needs(from, digest, 0, needs, err);
}

int prune_look_needs(struct transport *from, struct prune_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->image_count; i++) {
		struct prune_image *image = &plan->images[i];

		if (!image->may_be_index || !image->is_kept)
			continue;
		image->needs = json_array();
		if (prune_look_index(from, image->digest, image->needs, err) < 0)
			return -1;
	}
	return 0;
}
