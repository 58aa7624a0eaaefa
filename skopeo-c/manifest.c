/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/manifest.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "skopeo-c/schema1.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_DOCKER_V1_PREFIX "application/vnd.docker.distribution.manifest.v1+"

static const char *const media_types[] = { MANIFEST_OCI, MANIFEST_OCI_INDEX, MANIFEST_DOCKER,
					   MANIFEST_DOCKER_LIST };

/* The media type without parameters, as our own constant; NULL where it is none of ours. */
static const char *known_type(const char *text)
{
	size_t length = strcspn(text, "; \t");

	for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++)
		if (strlen(media_types[i]) == length &&
		    strncasecmp(media_types[i], text, length) == 0)
			return media_types[i];
	return NULL;
}

/* Types that say nothing about which manifest it is. */
static bool is_vague(const char *content_type)
{
	static const char *const vague[] = { "application/json", "text/plain",
					     "application/octet-stream", "binary/octet-stream" };
	size_t length = strcspn(content_type, "; \t");

	for (size_t i = 0; i < sizeof vague / sizeof *vague; i++)
		if (strlen(vague[i]) == length && strncasecmp(vague[i], content_type, length) == 0)
			return true;
	return length == 0;
}

int manifest_check_entry(const struct manifest *manifest, const struct blob *entry,
			 const char *what, struct error *err)
{
	if ((json_int_t)manifest->length == entry->size &&
	    strcmp(manifest->digest, entry->digest) == 0 &&
	    strcmp(manifest->media_type, entry->media_type) == 0)
		return 0;
	return error_set(err, ERROR_INTEGRITY, "%s: manifest %s is not what the index says of it",
			 what, entry->digest);
}

bool manifest_is_image_config(const char *media_type)
{
	return strcmp(media_type, CONFIG_OCI) == 0 || strcmp(media_type, CONFIG_DOCKER) == 0;
}

bool blob_is_foreign(const struct blob *blob)
{
	return json_array_size(blob->urls) > 0 && (strstr(blob->media_type, ".nondistributable.") ||
						   strstr(blob->media_type, ".rootfs.foreign."));
}

int blob_from_json(const json_t *descriptor, const char *what, struct blob *blob, struct error *err)
{
	const char *digest, *media_type;
	json_int_t size;

	if (json_require((json_t *)descriptor, what, err, "{s:s, s:I, s:s}", "digest", &digest,
			 "size", &size, "mediaType", &media_type) < 0)
		return -1;
	if (digest_require(digest, err) < 0)
		return error_prefix(err, "%s", what);
	if (size < 0 || size > BLOB_SIZE_MAX)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: blob %s has a size that cannot be: %lld", what, digest,
				 (long long)size);
	*blob = (struct blob){ digest, size, media_type, json_object_get(descriptor, "urls") };
	return 0;
}

static int check_descriptors(const json_t *array, const char *what, struct error *err)
{
	const json_t *item;
	struct blob ignored;
	size_t i;

	if (!json_is_array(array))
		return error_set(err, ERROR_INTEGRITY, "%s: a list of descriptors is missing",
				 what);
	json_array_foreach (array, i, item) {
		if (blob_from_json(item, what, &ignored, err) < 0)
			return -1;
	}
	return 0;
}

/* What it is: the transport's word and its own must agree, and so must its content, or one reader
 * could take for an image what another takes for an index (CVE-2021-41190). */
static int decide_type(struct manifest *m, const char *content_type, const char *what,
		       struct error *err)
{
	const char *own = json_text(m->json, "mediaType", NULL);
	const char *told = content_type ? known_type(content_type) : NULL;
	bool has_list = json_object_get(m->json, "manifests");
	bool has_image = json_object_get(m->json, "layers") || json_object_get(m->json, "config");

	if (own && !known_type(own))
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: manifests of type \"%s\" are not supported", what, own);
	if (content_type && !told && !is_vague(content_type) && !own)
		return error_set(err, ERROR_UNSUPPORTED, "%s: not a manifest but \"%s\"", what,
				 content_type);
	if (own && told && known_type(own) != told)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: the manifest calls itself %s but was served as %s", what, own,
				 told);
	if (has_list == has_image)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: neither an image manifest nor an index, or both", what);
	m->media_type = own    ? known_type(own)
			: told ? told
			       : (has_list ? MANIFEST_OCI_INDEX : MANIFEST_OCI);
	m->is_index = layout_is_index_type(m->media_type);
	if (m->is_index != has_list)
		return error_set(err, ERROR_INTEGRITY, "%s: its content is not what %s means", what,
				 m->media_type);
	return 0;
}

static int check_content(struct manifest *m, const char *what, struct error *err)
{
	struct blob ignored;

	if (m->is_index)
		return check_descriptors(json_object_get(m->json, "manifests"), what, err);
	if (blob_from_json(json_object_get(m->json, "config"), what, &ignored, err) < 0)
		return -1;
	return check_descriptors(json_object_get(m->json, "layers"), what, err);
}

static int parse(struct manifest *m, const char *content_type, const char *what, struct error *err)
{
	json_int_t version;

	m->json = json_parse(m->bytes, m->length, what, err);
	if (!m->json)
		return -1;
	if (!json_is_object(m->json))
		return error_set(err, ERROR_INTEGRITY, "%s: not a JSON object", what);
	if (json_require(m->json, what, err, "{s:I}", "schemaVersion", &version) < 0)
		return -1;
	if (version == 1) {
		m->media_type = MANIFEST_DOCKER_V1;
		m->is_schema1 = true;
		return schema1_check(m->json, what, err);
	}
	if (version != 2)
		return error_set(err, ERROR_INTEGRITY, "%s: schemaVersion is not 2", what);
	if (decide_type(m, content_type, what, err) < 0)
		return -1;
	return check_content(m, what, err);
}

/* The digest of a signed manifest of schema 1 is that of what was signed. */
static int check_signed(struct manifest *m, const char *expected, const char *what,
			struct error *err)
{
	size_t length = 0;
	cleanup_free char *payload = schema1_payload(m->bytes, m->length, m->json, &length);

	if (!payload)
		return expected ? digest_check(m->bytes, m->length, expected, what, err) : 0;
	digest_of(payload, length, expected ? expected : "sha256", m->digest);
	return expected ? digest_check(payload, length, expected, what, err) : 0;
}

static int check(struct manifest *m, const char *content_type, const char *expected,
		 const char *what, struct error *err)
{
	bool may_be_signed = content_type && strncmp(content_type, MANIFEST_DOCKER_V1_PREFIX,
						     strlen(MANIFEST_DOCKER_V1_PREFIX)) == 0;

	if (m->length > MANIFEST_MAX)
		return error_set(err, ERROR_LIMIT, "%s: the manifest is larger than %d bytes", what,
				 MANIFEST_MAX);
	/* what is not the right thing is not looked at, but where only a look can tell */
	if (expected && !may_be_signed &&
	    digest_check(m->bytes, m->length, expected, what, err) < 0)
		return -1;
	digest_of(m->bytes, m->length, expected ? expected : "sha256", m->digest);
	if (parse(m, content_type, what, err) < 0)
		return -1;
	return expected && strcmp(m->digest, expected) == 0 ? 0
							    : check_signed(m, expected, what, err);
}

int manifest_parse(char *bytes, size_t length, const char *content_type, const char *expected,
		   const char *what, struct manifest *manifest, struct error *err)
{
	struct manifest m = { .length = length };

	m.bytes = bytes;
	if (check(&m, content_type, expected, what, err) < 0) {
		manifest_free(&m);
		return -1;
	}
	*manifest = m;
	return 0;
}

void manifest_free(struct manifest *manifest)
{
	free(manifest->bytes);
	json_decref(manifest->json);
	*manifest = (struct manifest){ 0 };
}

json_t *manifest_descriptor(const struct manifest *manifest)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", manifest->media_type, "digest",
			 manifest->digest, "size", (json_int_t)manifest->length);
}

void manifest_add_blobs(const struct manifest *manifest, struct blob *blobs, size_t *count)
{
	struct error ignored; /* manifest_parse() has checked them */
	const json_t *layer;
	size_t i;

	blob_from_json(json_object_get(manifest->json, "config"), "", &blobs[(*count)++], &ignored);
	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		blob_from_json(layer, "", &blobs[(*count)++], &ignored);
	}
}
