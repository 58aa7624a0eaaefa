/* SPDX-License-Identifier: Apache-2.0 */
/* containers-storage:[[DRIVER@ROOT+RUNROOT]]NAME: a source, an image in a store of podman's. The
 * store keeps layers unpacked: their exact tars are put together again, with a manifest for them.
 * The one that the image came with is kept, too: by it the image is known, and it is signed. */
#include "lib/containers_storage.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/reference.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/storage_signatures.h"
#include "skopeo-c/tar_split.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 1000 };

struct containers_storage {
	struct storage storage;
	json_t *image;	 /* its entry in the store's list */
	char *asked_for; /* the name that the image was asked for by; NULL where it was its id */
	char *config_digest;
	json_t *manifest;
	json_t *layers; /* DiffID: the layer's entry */
};

static void containers_storage_close(struct transport *t)
{
	struct containers_storage *state = t->state;

	storage_close(&state->storage);
	json_decref(state->image);
	free(state->asked_for);
	free(state->config_digest);
	json_decref(state->manifest);
	json_decref(state->layers);
	free(state);
}

/* The descriptors of the layers, from the topmost down to the lowest. */
static int list_layers(struct containers_storage *state, const char *top, json_t *descriptors,
		       struct error *err)
{
	json_auto_t *layers = storage_layers(&state->storage, err);

	if (!layers)
		return -1;
	for (const char *id = top; id[0];) {
		const json_t *layer = storage_find_layer(layers, id);
		const char *diff_id = json_text(layer, "diff-digest", "");
		json_t *size = json_object_get(layer, "diff-size");

		if (!digest_is_valid(diff_id) || !json_is_integer(size))
			return error_set(err, ERROR_INTEGRITY,
					 "the store does not say what layer %s is", id);
		if (json_array_size(descriptors) == LAYERS_MAX)
			return error_set(err, ERROR_LIMIT, "the image has more than %d layers",
					 LAYERS_MAX);
		json_array_insert_new(descriptors, 0,
				      json_pack("{s:s, s:s, s:O}", "mediaType",
						"application/vnd.oci.image.layer.v1.tar", "digest",
						diff_id, "size", size));
		json_object_set(state->layers, diff_id, (json_t *)layer);
		id = json_text(layer, "parent", "");
	}
	return 0;
}

/* A layer of which an image has only the name "empty" is in no list; the configuration tells how
 * many there are. */
static int check_count(const json_t *config, const json_t *descriptors, struct error *err)
{
	const json_t *diff_ids = json_path(config, "rootfs", "diff_ids", NULL);
	size_t i;

	if (json_array_size(diff_ids) != json_array_size(descriptors))
		return error_set(err, ERROR_INTEGRITY,
				 "the store has %zu layers of the image, the configuration %zu",
				 json_array_size(descriptors), json_array_size(diff_ids));
	for (i = 0; i < json_array_size(diff_ids); i++)
		if (!json_equal(json_array_get(diff_ids, i),
				json_object_get(json_array_get(descriptors, i), "digest")))
			return error_set(err, ERROR_INTEGRITY,
					 "layer %zu in the store is not the configuration's", i);
	return 0;
}

/* Whether the image can be given just as it came: where its layers were not compressed. */
static bool is_unchanged(const json_t *manifest, const json_t *descriptors)
{
	const json_t *layers = json_object_get(manifest, "layers");

	if (json_array_size(layers) != json_array_size(descriptors))
		return false;
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (!json_equal(json_object_get(json_array_get(layers, i), "digest"),
				json_object_get(json_array_get(descriptors, i), "digest")))
			return false;
	return true;
}

/* *is_remade: false where a signed image can stay as it is. Others become OCI's in any case. */
static int make_manifest(struct containers_storage *state, bool *is_remade, struct error *err)
{
	json_auto_t *descriptors = json_array();
	size_t length;
	cleanup_free char *stored =
		storage_read(&state->storage, state->image, "manifest", &length, err);
	json_auto_t *manifest = stored ? json_parse(stored, length, "manifest", err) : NULL;
	const char *digest = json_text(json_object_get(manifest, "config"), "digest", "");

	if (!manifest)
		return -1;
	if (!digest_is_valid(digest))
		return error_set(err, ERROR_UNSUPPORTED, "the image has no configuration");
	state->config_digest = xstrdup(digest);
	cleanup_free char *text = storage_read(&state->storage, state->image, digest, &length, err);
	json_auto_t *config = text ? json_parse(text, length, "configuration", err) : NULL;
	if (!config ||
	    list_layers(state, json_text(state->image, "layer", ""), descriptors, err) < 0 ||
	    check_count(config, descriptors, err) < 0)
		return -1;
	state->manifest =
		json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:O}", "schemaVersion", 2, "mediaType",
			  MANIFEST_OCI, "config", "mediaType", CONFIG_OCI, "digest", digest, "size",
			  (json_int_t)length, "layers", descriptors);
	*is_remade =
		!storage_signatures_are_there(state->image) || !is_unchanged(manifest, descriptors);
	return 0;
}

/* The name of the image that the text means, in full; NULL where it means none of them. */
static char *find_name(const json_t *names, const char *text)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;
	const json_t *name;
	size_t i;

	if (reference_parse(text, &reference, &ignored) < 0)
		return NULL;
	reference_default_tag(&reference);
	cleanup_free char *full = reference_text(&reference);
	json_array_foreach (names, i, name) {
		if (json_is_string(name) && strcmp(json_string_value(name), full) == 0)
			return steal_ptr(&full);
	}
	return NULL;
}

/* As containers-policy.json(5) has them: "[DRIVER@ROOT]NAME" and shorter ones. */
static void containers_storage_add_scopes(const struct transport *t, struct strings *scopes)
{
	const struct containers_storage *state = t->state;
	const struct storage *storage = &state->storage;
	cleanup_reference struct reference reference = { 0 };
	cleanup_strings struct strings names = { 0 };
	struct error ignored;

	if (state->asked_for && reference_parse(state->asked_for, &reference, &ignored) == 0)
		policy_scopes_of_reference(&reference, &names);
	else
		strings_addf(&names, "@%s", json_text(state->image, "id", ""));
	for (size_t i = 0; i < names.count; i++)
		if (names.items[i][0] != '*')
			strings_addf(scopes, "[%s@%s]%s", storage->driver, storage->root,
				     names.items[i]);
	strings_addf(scopes, "[%s@%s]", storage->driver, storage->root);
	strings_addf(scopes, "[%s]", storage->root);
}

static int open_image(struct transport *t, const char *name, struct error *err)
{
	struct containers_storage *state = t->state;
	json_auto_t *images = storage_images(&state->storage, err);
	const json_t *image = images ? storage_find(images, name, t->name, err) : NULL;
	const json_t *names = json_object_get(image, "names");

	if (!image)
		return -1;
	state->image = json_incref((json_t *)image);
	state->asked_for = find_name(names, name);
	t->is_named = state->asked_for != NULL;
	const char *reference =
		t->is_named ? state->asked_for : json_string_value(json_array_get(names, 0));
	t->reference = reference ? xstrdup(reference) : NULL;
	return make_manifest(state, &t->is_remade, err) < 0 ? error_prefix(err, "%s", t->name) : 0;
}

static int containers_storage_open(struct transport *t, const char *rest,
				   const struct transport_settings *settings, struct error *err)
{
	struct containers_storage *state = xcalloc(1, sizeof *state);
	const char *name;

	(void)settings;
	state->layers = json_object();
	t->state = state;
	t->name = xasprintf("containers-storage:%s", rest);
	if (storage_open(rest, &state->storage, &name, err) < 0)
		return -1;
	if (name[0] == '\0')
		return error_set(err, ERROR_USAGE, "containers-storage: needs a name");
	return open_image(t, name, err);
}

static int containers_storage_kept_manifest(struct transport *t, struct manifest *manifest,
					    struct error *err)
{
	const struct containers_storage *state = t->state;
	size_t length;
	char *bytes = storage_read(&state->storage, state->image, "manifest", &length, err);

	return bytes ? manifest_parse(bytes, length, NULL, NULL, t->name, manifest, err) : -1;
}

static int containers_storage_get_manifest(struct transport *t, const char *digest,
					   struct manifest *manifest, struct error *err)
{
	const struct containers_storage *state = t->state;

	if (!t->is_remade)
		return containers_storage_kept_manifest(t, manifest, err);
	char *bytes = json_compact(state->manifest);
	return manifest_parse(bytes, strlen(bytes), MANIFEST_OCI, digest, t->name, manifest, err);
}

static int containers_storage_get_signatures(struct transport *t, const struct manifest *manifest,
					     bool bundles, struct signatures *signatures,
					     struct error *err)
{
	const struct containers_storage *state = t->state;

	(void)manifest; /* there is only one */
	(void)bundles;
	return storage_signatures_read(&state->storage, state->image, signatures, err) < 0
		       ? error_prefix(err, "%s", t->name)
		       : 0;
}

/* The tar of a layer; the store's layers are locked until it is freed. */
static struct tar_split *open_tar(const struct storage *storage, const json_t *layer,
				  struct error *err)
{
	const struct storage_part *part = storage_part(storage, layer);
	const char *layer_id = json_text(layer, "id", "");
	bool is_vfs = strcmp(storage->driver, "vfs") == 0;
	cleanup_free char *lines = xasprintf("%s.tar-split.gz", layer_id);
	cleanup_free char *files = xasprintf(is_vfs ? "dir/%s" : "%s/diff", layer_id);

	if (!path_is_name(layer_id)) {
		error_set(err, ERROR_INTEGRITY, "\"%s\" is no id of a layer", layer_id);
		return NULL;
	}
	cleanup_fd int lock = storage_lock_layers(part, err);
	if (lock < 0)
		return NULL;
	cleanup_fd int lines_fd = path_open_beneath(part->layers_fd, lines, O_RDONLY, err);
	if (lines_fd < 0) {
		if (err->os == ENOENT)
			error_set(err, ERROR_UNSUPPORTED,
				  "the tar of layer %s is not kept in the store", layer_id);
		return NULL;
	}
	cleanup_fd int files_fd =
		openat(part->files_fd, files, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (files_fd < 0) {
		error_os(err, "the files of layer %s", layer_id);
		return NULL;
	}
	return tar_split_new(steal_fd(&lines_fd), steal_fd(&files_fd), steal_fd(&lock));
}

static int containers_storage_open_blob(struct transport *t, const struct blob *blob,
					struct blob_source *source, struct error *err)
{
	const struct containers_storage *state = t->state;
	const json_t *layer = json_object_get(state->layers, blob->digest);

	if (strcmp(blob->digest, state->config_digest) == 0) {
		source->fd = storage_open_file(&state->storage, state->image, blob->digest, err);
		return source->fd < 0 ? -1 : 0;
	}
	if (!layer)
		return error_set(err, ERROR_NOT_FOUND, "%s: blob %s is missing", t->name,
				 blob->digest);
	source->maker = open_tar(&state->storage, layer, err);
	if (!source->maker)
		return error_prefix(err, "%s", t->name);
	source->make = tar_split_read;
	source->end_making = tar_split_free;
	return 0;
}

/* An additional store may have what is in the store itself. */
static void add_name(const char *name, json_t *names)
{
	if (name && !json_has_text(names, name))
		json_array_append_new(names, json_string(name));
}

static int containers_storage_list(const char *rest, const struct transport_settings *settings,
				   json_t *names, struct error *err)
{
	struct storage storage;
	const json_t *image, *own;
	const char *name;
	size_t i, j;

	(void)settings;
	int status = storage_open(rest, &storage, &name, err);
	json_auto_t *images = status == 0 ? storage_images(&storage, err) : NULL;
	storage_close(&storage);
	json_array_foreach (images, i, image) {
		const json_t *all = json_object_get(image, "names");
		cleanup_free char *id = xasprintf("@%s", json_text(image, "id", ""));

		json_array_foreach (all, j, own) {
			add_name(json_string_value(own), names);
		}
		if (json_array_size(all) == 0)
			add_name(id, names);
	}
	return images ? 0 : -1;
}

const struct transport_class transport_containers_storage = {
	.prefix = "containers-storage:",
	.identity = IDENTITY_REFERENCE,
	.add_scopes = containers_storage_add_scopes,
	.makes_manifest = true,
	.list = containers_storage_list,
	.open = containers_storage_open,
	.close = containers_storage_close,
	.get_manifest = containers_storage_get_manifest,
	.kept_manifest = containers_storage_kept_manifest,
	.get_signatures = containers_storage_get_signatures,
	.open_blob = containers_storage_open_blob,
};
