/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/docker_archive.h"
#include "skopeo-c/layer_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 6 };

void docker_archive_init(struct docker_archive *state)
{
	state->writer.fd = state->writer.lock_fd = -1;
	state->blobs = json_object();
	state->entries = json_array();
}

void docker_archive_free(struct docker_archive *state)
{
	archive_free(state->archive);
	json_decref(state->manifest);
	json_decref(state->blobs);
	archive_writer_close(&state->writer);
	json_decref(state->entries);
	strings_free(&state->names);
	free(state);
}

/* ---- which image ---- */

/* A list of texts, or nothing. */
static bool has_valid_names(const json_t *entry)
{
	const json_t *names = json_object_get(entry, "RepoTags"), *name;
	size_t i;

	json_array_foreach (names, i, name) {
		if (!json_is_string(name))
			return false;
	}
	return !names || json_is_null(names) || json_is_array(names);
}

json_t *docker_archive_entries(const struct archive *archive, struct error *err)
{
	json_auto_t *entries = archive_read_json(archive, "manifest.json", err);
	const json_t *entry;
	size_t i;

	if (!entries) {
		if (err->kind == ERROR_NOT_FOUND)
			error_set(err, ERROR_INTEGRITY,
				  "%s is not an archive of docker save: it has no manifest.json",
				  archive->path);
		return NULL;
	}
	if (!json_is_array(entries)) {
		error_set(err, ERROR_INTEGRITY, "%s: manifest.json is no list", archive->path);
		return NULL;
	}
	json_array_foreach (entries, i, entry) {
		if (!has_valid_names(entry)) {
			error_set(err, ERROR_INTEGRITY,
				  "%s: manifest.json has a name that is no text", archive->path);
			return NULL;
		}
	}
	return json_incref(entries);
}

/* The full name with its tag, or NULL; the caller frees it. */
static char *full_name(const char *text, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(text, &reference, err) < 0)
		return NULL;
	reference_default_tag(&reference);
	return reference_text(&reference);
}

/* Docker writes short names: "busybox:latest". */
static bool is_named(const json_t *tag, const char *name)
{
	struct error ignored;
	cleanup_free char *full =
		json_is_string(tag) ? full_name(json_string_value(tag), &ignored) : NULL;

	return full && strcmp(full, name) == 0;
}

static bool has_tag(const json_t *entry, const char *name)
{
	const json_t *tag;
	size_t i;

	json_array_foreach (json_object_get(entry, "RepoTags"), i, tag) {
		if (is_named(tag, name))
			return true;
	}
	return false;
}

/* Borrowed; NULL with an error. */
static const json_t *choose(const json_t *entries, const char *ref, const char *what,
			    struct error *err)
{
	cleanup_free char *name = NULL;
	const json_t *entry;
	char *end;
	size_t i;

	if (!ref && json_array_size(entries) == 1)
		return json_array_get(entries, 0);
	if (!ref) {
		error_set(err, ERROR_USAGE, "%s holds %zu images: say which, PATH:NAME or PATH:@N",
			  what, json_array_size(entries));
		return NULL;
	}
	if (ref[0] == '@') {
		unsigned long position = strtoul(ref + 1, &end, 10);

		entry = *end || !ref[1] ? NULL : json_array_get(entries, position);
		if (entry)
			return entry;
	} else {
		name = full_name(ref, err);
		if (!name)
			return NULL;
		json_array_foreach (entries, i, entry) {
			if (has_tag(entry, name))
				return entry;
		}
	}
	error_set(err, ERROR_NOT_FOUND, "%s: no image of that name in the archive", what);
	error_subject(err, what);
	return NULL;
}

/* ---- its manifest ---- */

static int read_head(const struct archive *archive, const struct archive_member *member,
		     unsigned char head[static HEAD_SIZE], size_t *length, struct error *err)
{
	struct blob_source source = { .rest = member->size };
	ssize_t got;

	cleanup_fd int fd = archive_reopen(archive, member, err);
	if (fd < 0)
		return -1;
	source.fd = fd;
	for (*length = 0; *length < HEAD_SIZE; *length += (size_t)got) {
		got = blob_source_read(&source, head + *length, HEAD_SIZE - *length, archive->path,
				       err);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
	}
	return 0;
}

static int hash_member(const struct archive *archive, const struct archive_member *member,
		       char digest[static DIGEST_SIZE], struct error *err)
{
	struct blob_source source = { .rest = member->size };
	json_int_t ignored;

	if (member->digest[0]) {
		memcpy(digest, member->digest, DIGEST_SIZE);
		return 0;
	}
	cleanup_fd int fd = archive_reopen(archive, member, err);
	if (fd < 0)
		return -1;
	source.fd = fd;
	if (blob_source_hash(&source, "sha256", archive->path, digest, &ignored, err) < 0)
		return -1;
	/* it can be the layer of other DiffIDs, too */
	memcpy(archive->members[member - archive->members].digest, digest, DIGEST_SIZE);
	return 0;
}

static const struct archive_member *find_member(const struct archive *archive, const json_t *name,
						struct error *err)
{
	const struct archive_member *member =
		json_is_string(name) ? archive_find(archive, json_string_value(name)) : NULL;

	if (!member)
		error_set(err, ERROR_INTEGRITY,
			  "%s: manifest.json names \"%s\", which is not there", archive->path,
			  json_is_string(name) ? json_string_value(name) : "");
	return member;
}

/* The descriptor of a layer: what is compressed is hashed, of what is not the digest is its DiffID;
 * it is checked when the layer is read. */
static int add_layer(struct docker_archive *state, const json_t *name, const char *diff_id,
		     json_t *layers, struct error *err)
{
	const struct archive *archive = state->archive;
	const struct archive_member *member = find_member(archive, name, err);
	unsigned char head[HEAD_SIZE];
	char digest[DIGEST_SIZE];
	struct layer_type type = { 0 };
	size_t length;

	if (!member || read_head(archive, member, head, &length, err) < 0)
		return -1;
	type.way = compression_of(head, length);
	if (!diff_id || !digest_is_valid(diff_id))
		return error_set(err, ERROR_INTEGRITY, "%s: the configuration has no DiffID for %s",
				 archive->path, member->name);
	snprintf(digest, sizeof digest, "%s", diff_id);
	if (type.way != COMPRESSION_NONE && hash_member(archive, member, digest, err) < 0)
		return -1;
	json_object_set_new(state->blobs, digest, json_string(member->name));
	json_array_append_new(layers, json_pack("{s:s, s:s, s:I}", "mediaType",
						layer_type_name(&type, false), "digest", digest,
						"size", (json_int_t)member->size));
	return 0;
}

static int add_layers(struct docker_archive *state, const json_t *entry, const json_t *config,
		      json_t *layers, struct error *err)
{
	const json_t *names = json_object_get(entry, "Layers"), *name;
	const json_t *diff_ids = json_path(config, "rootfs", "diff_ids", NULL);
	size_t i;

	if (json_array_size(names) != json_array_size(diff_ids))
		return error_set(err, ERROR_INTEGRITY,
				 "%s: manifest.json names %zu layers, the configuration %zu",
				 state->archive->path, json_array_size(names),
				 json_array_size(diff_ids));
	json_array_foreach (names, i, name) {
		if (add_layer(state, name, json_string_value(json_array_get(diff_ids, i)), layers,
			      err) < 0)
			return -1;
	}
	return 0;
}

static int make_manifest(struct docker_archive *state, const json_t *entry, struct error *err)
{
	const json_t *name = json_object_get(entry, "Config");
	const struct archive_member *member = find_member(state->archive, name, err);
	json_auto_t *layers = json_array();
	char digest[DIGEST_SIZE];
	size_t length;

	if (!member)
		return -1;
	cleanup_free char *text =
		archive_read(state->archive, member->name, JSON_CONFIG_MAX, &length, err);
	json_auto_t *config = text ? json_parse(text, length, member->name, err) : NULL;
	if (!config || add_layers(state, entry, config, layers, err) < 0)
		return -1;
	digest_of(text, length, "sha256", digest);
	json_object_set_new(state->blobs, digest, json_string(member->name));
	state->manifest = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:O}", "schemaVersion", 2,
				    "mediaType", MANIFEST_OCI, "config", "mediaType", CONFIG_OCI,
				    "digest", digest, "size", (json_int_t)length, "layers", layers);
	return 0;
}

int docker_archive_load(struct docker_archive *state, const char *ref, const char *what,
			char **reference, struct error *err)
{
	json_auto_t *entries = docker_archive_entries(state->archive, err);
	const json_t *entry = entries ? choose(entries, ref, what, err) : NULL;
	struct error ignored;

	if (!entry || make_manifest(state, entry, err) < 0)
		return -1;
	const char *name =
		ref && ref[0] != '@'
			? ref
			: json_string_value(json_array_get(json_object_get(entry, "RepoTags"), 0));
	*reference = name ? full_name(name, &ignored) : NULL;
	return 0;
}

/* ---- writing ---- */

static int add_name(struct docker_archive *state, const char *text, struct error *err)
{
	cleanup_free char *name = full_name(text, err);

	if (!name)
		return -1;
	if (strchr(name, '@'))
		return error_set(err, ERROR_USAGE, "\"%s\": an archive has no names with digests",
				 text);
	strings_add(&state->names, name);
	return 0;
}

int docker_archive_name(struct docker_archive *state, const char *ref,
			const struct strings *additional, struct error *err)
{
	if (ref && add_name(state, ref, err) < 0)
		return -1;
	for (size_t i = 0; additional && i < additional->count; i++)
		if (add_name(state, additional->items[i], err) < 0)
			return -1;
	return 0;
}

/* Who reads the archive has nothing but the bytes to tell what a layer is: of one that is encrypted
 * they would be taken for a broken tar. */
static int check_layers(const json_t *layers, const char *what, struct error *err)
{
	struct layer_type ignored;
	const json_t *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
		const char *type = json_text(layer, "mediaType", "");

		if (!layer_type_parse(type, &ignored))
			return error_set(err, ERROR_UNSUPPORTED,
					 "%s: such archives cannot say that a layer is \"%s\"",
					 what, type);
	}
	return 0;
}

int docker_archive_check(const struct plan *plan, const char *what, struct error *err)
{
	const struct manifest *manifest = plan_top(plan);
	const char *type = json_text(json_object_get(manifest->json, "config"), "mediaType", "");

	if (manifest->is_index)
		return error_set(err, ERROR_UNSUPPORTED, "%s: such archives hold no indexes", what);
	if (!manifest_is_image_config(type))
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: such archives hold images, not \"%s\"", what, type);
	return check_layers(json_object_get(manifest->json, "layers"), what, err);
}

char *docker_archive_blob_name(const struct blob *blob)
{
	static const char *const endings[] = { ".tar", ".tar.gz", ".tar.zst", ".tar.bz2",
					       ".tar.xz" };
	struct layer_type type;
	const char *ending =
		layer_type_parse(blob->media_type, &type) ? endings[type.way] : ".json";

	return xasprintf("%s%s", digest_hex(blob->digest), ending);
}

/* What is named now is not an earlier image any more. */
static void take_names(json_t *entries, const json_t *names)
{
	json_t *entry;
	const json_t *name;
	size_t i, n;

	json_array_foreach (entries, i, entry) {
		json_t *tags = json_object_get(entry, "RepoTags");

		json_array_foreach (names, n, name) {
			for (size_t t = json_array_size(tags); t-- > 0;)
				if (is_named(json_array_get(tags, t), json_string_value(name)))
					json_array_remove(tags, t);
		}
	}
}

char *docker_archive_index(const struct docker_archive *state, const struct manifest *manifest)
{
	json_auto_t *entries = json_deep_copy(state->entries);
	json_t *tags = json_array(), *layers = json_array();
	struct error ignored; /* manifest_parse() has checked them */
	const json_t *layer;
	struct blob blob;
	size_t i;

	blob_from_json(json_object_get(manifest->json, "config"), "", &blob, &ignored);
	cleanup_free char *config = docker_archive_blob_name(&blob);
	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		blob_from_json(layer, "", &blob, &ignored);
		cleanup_free char *name = docker_archive_blob_name(&blob);
		json_array_append_new(layers, json_string(name));
	}
	for (i = 0; i < state->names.count; i++)
		json_array_append_new(tags, json_string(state->names.items[i]));
	take_names(entries, tags);
	json_array_append_new(entries, json_pack("{s:s, s:o, s:o}", "Config", config, "RepoTags",
						 tags, "Layers", layers));
	return json_compact(entries);
}
