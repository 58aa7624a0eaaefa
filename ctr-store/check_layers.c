/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers on disk. What a layer must look like is only to be had from its blob, so a deep check
 * unpacks images once more, into a staging directory, and compares. Every layer is unpacked once:
 * where it was found whole a symbolic link to it stands in for it after that, beneath the layers
 * of other images that lean on it. Where it was not, the new one is there to replace it.
 */
#include "ctr-store/check.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/erofs.h"
#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/layer_list.h"
#include "ctr-store/layer_secure.h"
#include "ctr-store/record.h"
#include "ctr-store/trash.h"
#include "ctr-store/tree_manifest.h"
#include "ctr-store/unpacker.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A second place for layers. */
struct shadow {
	struct staging staging;
	struct store store; /* the real one, but for its layers; borrowed from it */
	json_t *compared;   /* ids of layers */
};

static int shadow_open(const struct store *store, struct shadow *shadow, struct error *err)
{
	shadow->store = *store;
	shadow->store.layers_fd = -1;
	shadow->store.only_own_layers = true;
	if (staging_open(store, &shadow->staging, err) < 0)
		return -1;
	if (mkdirat(shadow->staging.fd, "layers", 0700) < 0)
		return error_os(err, "%s/tmp", store->root);
	shadow->store.layers_fd =
		openat(shadow->staging.fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (shadow->store.layers_fd < 0)
		return error_os(err, "%s/tmp", store->root);
	shadow->compared = json_object();
	return 0;
}

static void shadow_close(struct shadow *shadow)
{
	cleanup_fd_p(&shadow->store.layers_fd);
	staging_close(&shadow->staging);
	json_decref(shadow->compared);
}

/* ---- repair ---- */

static const char unpacked_again[] = "unpacked again";

/* Whether one of the containers or mounts has the layer. */
static bool has_user(const json_t *users, const char *id)
{
	const json_t *user, *layer;
	size_t i, j;

	json_array_foreach (users, i, user) {
		json_array_foreach (json_object_get(user, "layers"), j, layer) {
			if (json_is_string(layer) && strcmp(json_string_value(layer), id) == 0)
				return true;
		}
	}
	return false;
}

/* Whether somebody is copying the layer's files, or is about to use it. */
static bool is_referred(const struct store *store, const char *id)
{
	json_auto_t *digests = json_array();
	struct error ignored;
	size_t dead = 0, i;
	const json_t *digest;

	if (staging_collect(store, NULL, digests, &dead, &ignored) < 0)
		return true;
	json_array_foreach (digests, i, digest) {
		const char *text = json_string_value(digest);

		if (text && digest_is_valid(text) && strcmp(digest_hex(text), id) == 0)
			return true;
	}
	return false;
}

/* What there is to replace a layer. */
struct source {
	const struct store *unpacked; /* the layer is in this one, or NULL */
	bool image;		      /* an image has it, whose blobs are all whole */
};

/* Take the layer away, and put the one from the source in its place. Files beneath a mount must
 * not change, nor those that are being copied, and without a source a container would lose them.
 * The caller holds the gate exclusively. NULL when it was not to be. */
static const char *replace(const struct check *check, const char *id, const struct source *source,
			   struct trash *trash)
{
	const struct store *store = check->store;
	struct error ignored;
	json_auto_t *records = record_list(store, false, NULL, &ignored);
	json_auto_t *containers = records ? container_list(store, &ignored) : NULL;

	if (!containers || has_user(records, id) || is_referred(store, id) ||
	    (!source->unpacked && !source->image && has_user(containers, id)))
		return NULL;
	if (trash_take(trash, store->layers_fd, id, NULL) < 0 && errno != ENOENT)
		return NULL;
	if (source->unpacked && renameat(source->unpacked->layers_fd, id, store->layers_fd, id) < 0)
		return NULL;
	if (fsync(store->layers_fd) < 0)
		return NULL;
	return source->unpacked ? unpacked_again : "removed";
}

/* Says what was done, or NULL. */
static const char *mend(const struct check *check, const char *id, const struct source *source)
{
	cleanup_trash struct trash trash = { .store = check->store };
	struct error ignored;

	if (!check->repair)
		return NULL;
	/* what was unpacked for a look is to stay now */
	if (source->unpacked && syncfs(source->unpacked->layers_fd) < 0)
		return NULL;
	cleanup_fd int gate = staging_gate(check->store, LOCK_EXCLUSIVE, &ignored);
	return gate < 0 ? NULL : replace(check, id, source, &trash);
}

/* All blobs are there and whole. */
static bool can_unpack(const struct check *check, const struct image *image)
{
	for (size_t i = 0; i < image->layer_count; i++)
		if (!layout_has_blob(&check->layout, image->layers[i].blob, -1) ||
		    json_object_get(check->damaged, image->layers[i].blob))
			return false;
	return true;
}

/* One of the images (ids) from which the layer can be had. */
static bool find_source(const struct check *check, const json_t *images, struct image *image)
{
	struct error ignored;
	const json_t *id;
	size_t i;

	json_array_foreach (images, i, id) {
		if (image_find(check->store, json_string_value(id), image, &ignored) < 0)
			continue;
		if (can_unpack(check, image))
			return true;
		image_free(image);
	}
	return false;
}

/* A layer directory with a fault in itself: away with it, and unpack an image that has it. */
static const char *mend_from_image(const struct check *check, const char *id, const json_t *images)
{
	cleanup_image struct image image = { 0 };
	cleanup_strings struct strings ids = { 0 };
	struct error ignored;
	const struct source source = { .image = check->repair &&
						find_source(check, images, &image) };
	const char *repair = mend(check, id, &source);
	cleanup_fd int gate = repair && source.image
				      ? layer_secure(check->store, &image, NULL, &ids, &ignored)
				      : -1;

	return gate < 0 ? repair : unpacked_again;
}

/* ---- what a layer says of itself ---- */

static const char *fault_of(const struct store *store, const char *id, const json_t *facts)
{
	struct error why;
	struct stat st;
	cleanup_free char *diff = xasprintf("%s/diff", id);
	const char *diff_id = json_text(facts, "diffId", "");
	const char *key = json_text(facts, "chainId", diff_id);

	if (!digest_is_valid(diff_id) || !digest_is_valid(key))
		return "its layer.json has no digest";
	if (strcmp(digest_hex(key), id) != 0)
		return "its layer.json is of another layer";
	if (fstatat(store->layers_fd, diff, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
		return "it has no diff directory";
	cleanup_fd int tree_fd = erofs_open_tree(store->layers_fd, diff, &why);
	return tree_fd < 0 && why.kind == ERROR_INTEGRITY ? "its image is damaged" : NULL;
}

/* *fault: what is wrong with a layer directory, or NULL. */
static int find_fault(const struct store *store, const char *id, const char **fault,
		      struct error *err)
{
	json_auto_t *facts = layer_read(store, id, err);

	if (facts)
		*fault = fault_of(store, id, facts);
	else if (err->os == ENOENT)
		*fault = "it has no layer.json";
	else if (err->os == 0 || err->os == EIO || err->os == EISDIR || err->os == ELOOP)
		*fault = "its layer.json is damaged";
	else if (err->os == ENOTDIR)
		*fault = "it is not a directory";
	else
		return error_prefix(err, "layer %s", id);
	return 0;
}

static bool exists(const struct store *store, const char *id)
{
	return faccessat(store->layers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- deep ---- */

static int open_diff(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/diff", id);
	int fd = erofs_open_tree(store->layers_fd, path, err);

	return fd < 0 ? error_prefix(err, "layer %s", id) : fd;
}

/* The layer was found whole: it stands in for its double. */
static int use_real(struct shadow *shadow, const char *id, struct error *err)
{
	cleanup_free char *target = xasprintf("%s/layers/%s", shadow->store.root, id);

	if (path_remove_tree(shadow->store.layers_fd, id, err) < 0)
		return -1;
	if (symlinkat(target, shadow->store.layers_fd, id) < 0)
		return error_os(err, "%s/tmp", shadow->store.root);
	return 0;
}

static int compare_layer(struct check *check, struct shadow *shadow, const char *id,
			 struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int ours = open_diff(check->store, id, err);

	/* removed meanwhile; or find_fault() has told */
	if (ours < 0)
		return err->os == ENOENT || err->kind == ERROR_INTEGRITY ? 0 : -1;
	cleanup_fd int fresh = open_diff(&shadow->store, id, err);
	int same = fresh < 0 ? -1 : tree_compare(ours, fresh, &path, err);
	/* what an image says that does not fit together */
	if (same < 0 && fresh >= 0 && err->os == EUCLEAN) {
		path = xstrdup("its image");
		same = 0;
	}
	if (same < 0)
		return error_prefix(err, "layer %s", id);
	if (same == 1)
		return use_real(shadow, id, err);

	cleanup_free char *problem = xasprintf("%s is not as in its blob", path);
	const struct source source = { .unpacked = &shadow->store };
	const char *repair = mend(check, id, &source);
	check_found(check, "layer", id, problem, repair);
	return repair ? use_real(shadow, id, err) : 0;
}

/* From the lowest on, how many layers of the image are on disk. What is above need not be a layer
 * that can be unpacked. */
static size_t count_unpacked(const struct check *check, const struct image *image)
{
	size_t count = 0;

	for (; count < image->layer_count; count++) {
		cleanup_free char *id = NULL;
		struct error ignored;

		if (layer_find(check->store, &image->layers[count], &id, &ignored) == 0)
			break;
	}
	return count;
}

/* Whether the image has a layer on disk that was not compared yet. */
static bool is_needed(const struct check *check, const struct shadow *shadow,
		      const struct image *image)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		cleanup_free char *id = NULL;
		struct error ignored;

		if (layer_find(check->store, &image->layers[i], &id, &ignored) == 1 &&
		    id[0] != '/' && !json_object_get(shadow->compared, id))
			return true;
	}
	return false;
}

static int unpack_again(const struct check *check, const struct shadow *shadow,
			const struct image *image, struct error *err)
{
	cleanup_unpacker struct unpacker *unpacker = unpacker_new(&shadow->store, err);

	if (!unpacker)
		return -1;
	unpacker_add_image(unpacker, image);
	unpacker_imitate(unpacker, check->store);
	unpacker_all_blobs(unpacker);
	return unpacker_finish(unpacker, err);
}

/* Not for want of time or room, which says nothing about the image. */
static bool is_of_image(const struct error *err)
{
	return err->kind == ERROR_INTEGRITY || err->kind == ERROR_NOT_FOUND ||
	       err->kind == ERROR_DENIED || err->kind == ERROR_UNSUPPORTED;
}

static int compare_image(struct check *check, struct shadow *shadow, const struct image *image,
			 struct error *err)
{
	if (!can_unpack(check, image) || !is_needed(check, shadow, image))
		return 0;
	if (unpack_again(check, shadow, image, err) < 0) {
		if (!is_of_image(err))
			return -1;
		check_found(check, "image", image_label(image), err->message, NULL);
		return 0;
	}
	for (size_t i = 0; i < image->layer_count; i++) {
		cleanup_free char *id = NULL;

		if (layer_find(&shadow->store, &image->layers[i], &id, err) != 1)
			continue;
		if (!json_object_get(shadow->compared, id) && exists(check->store, id) &&
		    compare_layer(check, shadow, id, err) < 0)
			return -1;
		json_object_set_new(shadow->compared, id, json_true());
	}
	return 0;
}

static int compare_all(struct check *check, struct error *err)
{
	__attribute__((cleanup(shadow_close))) struct shadow shadow = {
		.staging = { .fd = -1, .lock_fd = -1 }, .store = { .layers_fd = -1 }
	};
	json_auto_t *index = layout_index(&check->layout, err);
	const json_t *entry;
	size_t i;

	if (!index || shadow_open(check->store, &shadow, err) < 0)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		cleanup_image struct image image = { 0 };
		struct error ignored; /* check_images() tells */
		json_auto_t *json = layout_image(&check->layout, entry, &ignored);

		if (!json || image_from_json(json, &image, &ignored) < 0)
			continue;
		image.layer_count = count_unpacked(check, &image);
		if (compare_image(check, &shadow, &image, err) < 0)
			return -1;
	}
	return 0;
}

int check_layers(struct check *check, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	json_auto_t *users = layer_list_users(check->store, err);

	if (!users || layer_list_ids(check->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		const char *fault = NULL;

		if (find_fault(check->store, ids.items[i], &fault, err) < 0)
			return -1;
		/* what is missing is unpacked when it is needed */
		if (fault && exists(check->store, ids.items[i]))
			check_found(check, "layer", ids.items[i], fault,
				    mend_from_image(check, ids.items[i],
						    json_object_get(users, ids.items[i])));
	}
	return check->deep ? compare_all(check, err) : 0;
}
