/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/image_age.h"

#include "lib/json.h"
#include "skopeo-c/age.h"
#include "skopeo-c/image.h"
#include "skopeo-c/schema1.h"
#include "skopeo-c/transport.h"

#include <string.h>

enum { READ_MAX = 32 /* manifests that are read for one age */ };

/* Times from the epoch or before it mean that nobody said when. */
static int64_t time_of(const json_t *object, const char *key)
{
	int64_t made = age_of_time(json_text(object, key, ""));

	return made > 0 ? made : -1;
}

static int age_of_image(struct transport *from, const struct manifest *manifest, int64_t *made,
			struct error *err)
{
	cleanup_image struct image image = { 0 };

	if (manifest->is_schema1) {
		json_auto_t *config = schema1_config(manifest->json, NULL, from->name, err);

		*made = time_of(config, "created");
		return config ? 0 : -1;
	}
	if (image_read(from, manifest, &image, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	*made = time_of(image.config, "created");
	return 0;
}

static int age_of(struct transport *from, const char *digest, unsigned *left, int64_t *made,
		  struct error *err);

/* That of the first image that has one: an index may be there without the others. Attestations are
 * none. */
static int age_of_index(struct transport *from, const struct manifest *index, unsigned *left,
			int64_t *made, struct error *err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(index->json, "manifests"), i, entry) {
		const char *digest = json_text(entry, "digest", "");
		const char *os = json_text(json_object_get(entry, "platform"), "os", "");

		if (!digest_is_valid(digest) || strcmp(os, "unknown") == 0)
			continue;
		if (age_of(from, digest, left, made, err) < 0)
			return -1;
		if (*made >= 0)
			break;
	}
	return 0;
}

static int age_of(struct transport *from, const char *digest, unsigned *left, int64_t *made,
		  struct error *err)
{
	cleanup_manifest struct manifest manifest = { 0 };

	if (*left == 0)
		return 0;
	--*left;
	if (from->class->get_manifest(from, digest, &manifest, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	if ((manifest.is_index ? age_of_index(from, &manifest, left, made, err)
			       : age_of_image(from, &manifest, made, err)) < 0)
		return -1;
	if (*made < 0)
		*made = time_of(json_object_get(manifest.json, "annotations"),
				"org.opencontainers.image.created");
	return 0;
}

int image_age(struct transport *from, const char *digest, int64_t *made, struct error *err)
{
	unsigned left = READ_MAX;

	*made = -1;
	return age_of(from, digest, &left, made, err);
}
