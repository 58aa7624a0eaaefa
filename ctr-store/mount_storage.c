/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/mount_storage.h"

#include "ctr-store/attach.h"
#include "ctr-store/hold.h"
#include "lib/cleanup.h"
#include "lib/containers_storage.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/staging.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char prefix[] = "containers-storage:";

enum { LAYERS_MAX = 500 /* what overlayfs stacks */ };

bool mount_storage_means(const char *name)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---- layers ---- */

/* The directory of a layer's files, absolute; the caller frees it. */
static char *layer_directory(const struct storage *storage, const json_t *layer, struct error *err)
{
	const struct storage_part *part = storage_part(storage, layer);
	const char *id = json_text(layer, "id", "");
	bool is_vfs = strcmp(storage->driver, "vfs") == 0;
	cleanup_free char *composefs = xasprintf("%s/composefs-data", id);
	cleanup_free char *directory = xasprintf(is_vfs ? "dir/%s" : "%s/diff", id);

	if (!path_is_name(id)) {
		error_set(err, ERROR_INTEGRITY, "\"%s\" is no id of a layer", id);
		return NULL;
	}
	if (faccessat(part->files_fd, composefs, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		error_set(err, ERROR_UNSUPPORTED, "layer %s is kept as composefs", id);
		return NULL;
	}
	cleanup_fd int fd = path_open_beneath(part->files_fd, directory, O_PATH | O_DIRECTORY, err);
	if (fd < 0) {
		error_prefix(err, "layer %s", id);
		return NULL;
	}
	return xasprintf("%s/%s/%s", part->root, storage->driver, directory);
}

/* The directories of the layers, lowest first; of vfs each has all of those beneath in it. */
static json_t *list_directories(const struct storage *storage, const char *top, struct error *err)
{
	json_auto_t *layers = storage_layers(storage, err);
	json_auto_t *directories = json_array();

	if (!layers)
		return NULL;
	for (const char *id = top; id[0];) {
		const json_t *layer = storage_find_layer(layers, id);

		if (!layer) {
			error_set(err, ERROR_INTEGRITY, "the store does not have layer %s", id);
			error_hint(err,
				   "it may be in an additional image store: [ROOT:imagestore=DIR]");
			return NULL;
		}
		if (json_array_size(directories) == LAYERS_MAX) {
			error_set(err, ERROR_LIMIT, "the image has more than %d layers",
				  LAYERS_MAX);
			return NULL;
		}
		cleanup_free char *directory = layer_directory(storage, layer, err);
		if (!directory)
			return NULL;
		json_array_insert_new(directories, 0, json_string(directory));
		id = strcmp(storage->driver, "vfs") == 0 ? "" : json_text(layer, "parent", "");
	}
	return json_incref(directories);
}

/* ---- images ---- */

static json_t *find_image(const struct storage *storage, const char *text, const char *name,
			  struct error *err)
{
	json_auto_t *images = storage_images(storage, err);
	const json_t *image = images ? storage_find(images, text, name, err) : NULL;

	return image ? json_incref((json_t *)image) : NULL;
}

static json_t *mount_held(const struct store *store, const struct storage *storage,
			  const struct attach *like, struct error *err)
{
	struct attach attach = *like;
	cleanup_free char *by_id = xasprintf("@%s", like->image_id);
	/* podman may have removed it before the hold was there */
	json_auto_t *image = find_image(storage, by_id, like->image, err);
	json_auto_t *directories =
		image ? list_directories(storage, json_text(image, "layer", ""), err) : NULL;
	cleanup_fd int gate = directories ? staging_gate(store, LOCK_SHARED, err) : -1;

	if (gate < 0)
		return NULL;
	attach.image_id = NULL; /* it is no image of our store's */
	attach.layers = directories;
	return attach_overlay(store, &attach, err);
}

/* From here on the store's path is absolute, without symbolic links. */
static int resolve_root(struct storage *storage, struct error *err)
{
	char *root = realpath(storage->root, NULL);

	if (!root)
		return error_os(err, "%s", storage->root);
	free(storage->root);
	storage->root = root;
	return 0;
}

json_t *mount_storage(const struct store *store, const char *name, const char *directory,
		      struct error *err)
{
	cleanup_storage struct storage storage;
	char hold[RANDOM_ID_SIZE];
	cleanup_fd int lock = -1;
	const char *text;

	if (storage_open(name + strlen(prefix), &storage, &text, err) < 0 ||
	    resolve_root(&storage, err) < 0)
		return NULL;
	json_auto_t *image = find_image(&storage, text, name, err);
	const char *id = json_text(image, "id", "");
	if (!image || hold_take(store, &storage, id, hold, &lock, err) < 0)
		return NULL;

	const struct attach attach = { .target = directory,
				       .image = name,
				       .image_id = id,
				       .hold = hold,
				       .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						     MOUNT_ATTR_NODEV };
	json_t *record = mount_held(store, &storage, &attach, err);
	if (!record) {
		struct error ignored;

		close(steal_fd(&lock));
		hold_release(store, hold, &ignored);
	}
	return record;
}
