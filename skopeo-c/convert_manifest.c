/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/convert_manifest.h"

#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/layer_type.h"

#include <stdlib.h>
#include <string.h>

/* What belongs to a compression, zstd:chunked or eStargz, and goes with it. */
static bool is_of_compression(const char *annotation)
{
	static const char *const prefixes[] = { "io.github.containers.zstd-chunked.",
						"io.containers.zstd-chunked.",
						"io.github.containers.compression.zstd",
						"containerd.io/snapshot/stargz/",
						"io.containers.estargz." };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(annotation, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void drop_annotations(json_t *descriptor)
{
	json_t *annotations = json_object_get(descriptor, "annotations"), *value;
	const char *key;
	void *next;

	json_object_foreach_safe (annotations, next, key, value) {
		if (is_of_compression(key))
			json_object_del(annotations, key);
	}
	if (annotations && json_object_size(annotations) == 0)
		json_object_del(descriptor, "annotations");
}

static int cannot_say(const char *what, const char *media_type, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, "%s: Docker's manifests cannot have \"%s\"", what,
			 media_type);
}

/* ---- an image ---- */

static int convert_layer(json_t *layer, bool is_docker, const struct successors *successors,
			 const char *what, struct error *err)
{
	const char *media_type = json_text(layer, "mediaType", "");
	const struct recoded *recoded =
		successors->layer(successors->context, json_text(layer, "digest", ""));
	struct layer_type type;

	if (!layer_type_parse(media_type, &type))
		return is_docker ? cannot_say(what, media_type, err) : 0;
	if (recoded && strcmp(recoded->digest, json_text(layer, "digest", "")) != 0) {
		type.way = successors->way;
		json_object_set_new(layer, "digest", json_string(recoded->digest));
		json_object_set_new(layer, "size", json_integer(recoded->size));
		drop_annotations(layer);
	}
	const char *name = layer_type_name(&type, is_docker);
	if (!name)
		return cannot_say(what, media_type, err);
	json_object_set_new(layer, "mediaType", json_string(name));
	if (is_docker)
		json_object_del(layer, "annotations");
	return 0;
}

static int convert_image(json_t *image, bool is_docker, const struct successors *successors,
			 const char *what, struct error *err)
{
	json_t *config = json_object_get(image, "config"), *layer;
	const char *config_type = json_text(config, "mediaType", "");
	size_t i;

	if (!manifest_is_image_config(config_type)) {
		if (is_docker)
			return cannot_say(what, config_type, err);
	} else {
		json_object_set_new(config, "mediaType",
				    json_string(is_docker ? CONFIG_DOCKER : CONFIG_OCI));
	}
	if (is_docker) {
		json_object_del(config, "annotations");
		json_object_del(image, "annotations");
		json_object_del(image, "artifactType");
		json_object_del(image, "subject");
	}
	json_array_foreach (json_object_get(image, "layers"), i, layer) {
		if (convert_layer(layer, is_docker, successors, what, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- an index ---- */

static int convert_entry(json_t *entry, bool is_docker, const struct successors *successors,
			 const char *what, struct error *err)
{
	const struct manifest *manifest =
		successors->of_index(successors->context, json_text(entry, "digest", ""));

	if (manifest) {
		json_object_set_new(entry, "mediaType", json_string(manifest->media_type));
		json_object_set_new(entry, "digest", json_string(manifest->digest));
		json_object_set_new(entry, "size", json_integer((json_int_t)manifest->length));
		drop_annotations(entry);
	}
	if (!is_docker)
		return 0;
	json_object_del(entry, "annotations");
	json_object_del(entry, "artifactType");
	if (json_object_get(entry, "platform"))
		return 0;
	return cannot_say(what, "an entry without a platform", err);
}

static int convert_index(json_t *index, bool is_docker, const struct successors *successors,
			 const char *what, struct error *err)
{
	json_t *entry;
	size_t i;

	if (is_docker) {
		json_object_del(index, "annotations");
		json_object_del(index, "artifactType");
		json_object_del(index, "subject");
	}
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		if (convert_entry(entry, is_docker, successors, what, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_docker_type(const char *media_type)
{
	return strcmp(media_type, MANIFEST_DOCKER) == 0 ||
	       strcmp(media_type, MANIFEST_DOCKER_LIST) == 0;
}

int convert_manifest(const struct manifest *old, const char *format,
		     const struct successors *successors, const char *what,
		     struct manifest *manifest, struct error *err)
{
	json_auto_t *json = json_deep_copy(old->json);
	bool is_docker = is_docker_type(format ? format : old->media_type);
	int status = old->is_index ? convert_index(json, is_docker, successors, what, err)
				   : convert_image(json, is_docker, successors, what, err);

	if (status < 0)
		return -1;
	const char *type = old->is_index ? (is_docker ? MANIFEST_DOCKER_LIST : MANIFEST_OCI_INDEX)
					 : (is_docker ? MANIFEST_DOCKER : MANIFEST_OCI);
	bool is_same = strcmp(type, old->media_type) == 0 && json_equal(json, old->json);
	json_object_set_new(json, "mediaType", json_string(type));
	/* what stays as it was, stays so to the byte */
	char *bytes = is_same ? xstrdup(old->bytes) : json_compact(json);
	return manifest_parse(bytes, strlen(bytes), type, NULL, what, manifest, err);
}
