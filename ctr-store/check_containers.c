/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/backend.h"
#include "ctr-store/check.h"
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/container_name.h"
#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/layer_secure.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first of the container's layers that is not there, or NULL. Borrowed. */
static const char *missing_layer(const struct store *store, const json_t *container)
{
	const json_t *layer;
	size_t i;

	json_array_foreach (json_object_get(container, "layers"), i, layer) {
		const char *id = json_string_value(layer);

		if (!id || (id[0] != '/' && !path_is_name(id)))
			return "?";
		struct error why;
		json_auto_t *facts = layer_read(store, id, &why);
		if (!facts && why.os == ENOENT)
			return id;
	}
	return NULL;
}

/* Unpack what the container's image has; its layers are then under the same ids as before. */
static bool unpack_missing(const struct check *check, const json_t *container)
{
	const json_t *facts = json_object_get(container, "image");
	cleanup_image struct image image = { 0 };
	cleanup_strings struct strings ids = { 0 };
	struct error ignored;

	if (!check->repair ||
	    image_find(check->store, json_text(facts, "digest", "-"), &image, &ignored) < 0)
		return false;
	cleanup_fd int gate = layer_secure(check->store, &image, NULL, &ids, &ignored);
	return gate >= 0 && !missing_layer(check->store, container);
}

/* Where it is missing it is made again with the next name. */
static void check_names(struct check *check)
{
	cleanup_free char *path = xasprintf("%s/names", check->store->root);
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		check_found(check, "store", "names", "it is not a directory",
			    check->repair && unlink(path) == 0 ? "removed" : NULL);
}

static bool name_leads_to(const struct check *check, const char *name, const char *id)
{
	struct error why;
	cleanup_free char *found = container_name_find(check->store, name, &why);

	return found ? strcmp(found, id) == 0 : why.kind != ERROR_NOT_FOUND;
}

/* With the lock of the name, so that it is not given away meanwhile. */
static bool name_again(struct check *check, const char *name, const char *id)
{
	struct error why;
	json_auto_t *other = container_find_whole(check->store, name, &why);

	return !other && why.kind == ERROR_NOT_FOUND &&
	       container_name_set(check->store, name, id, &why) == 0;
}

/* A container whose name does not lead to it cannot be found by it. */
static void check_name(struct check *check, const json_t *container, const char *id)
{
	const char *name = json_text(container, "name", NULL);
	struct error ignored;

	if (!name || name_leads_to(check, name, id))
		return;
	cleanup_fd int lock = path_is_id(name) ? lock_take(check->store->locks_fd, "name", name,
							   LOCK_EXCLUSIVE, true, &ignored)
					       : -1;
	/* it may be removed, or get its name, at this moment */
	if (name_leads_to(check, name, id) ||
	    faccessat(check->store->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	bool mended = check->repair && lock >= 0 && name_again(check, name, id);
	cleanup_free char *problem = xasprintf("its name \"%s\" is not in names/", name);
	check_found(check, "container", id, problem, mended ? "named again" : NULL);
}

static bool has_directory(const struct check *check, const char *path)
{
	struct stat st;

	return fstatat(check->store->containers_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static void check_container(struct check *check, const char *id)
{
	static const char *const directories[] = { "rootfs", "upper", "work" };
	struct error why;
	json_auto_t *container = container_read(check->store, id, &why);

	if (!container) {
		if (faccessat(check->store->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			check_found(check, "container", id,
				    why.os == ENOENT ? "it has no rootfs.json" : why.message, NULL);
		return;
	}
	size_t count = backend_is_copy(container) ? 1 : sizeof directories / sizeof *directories;
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", id, directories[i]);
		cleanup_free char *problem = xasprintf("it has no %s directory", directories[i]);

		if (!has_directory(check, path))
			check_found(check, "container", id, problem, NULL);
	}
	check_name(check, container, id);
	const char *layer = missing_layer(check->store, container);
	if (!layer)
		return;
	cleanup_free char *problem = xasprintf("its layer %s is missing", layer);
	check_found(check, "container", id, problem,
		    unpack_missing(check, container) ? "unpacked again" : NULL);
}

int check_containers(struct check *check, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	check_names(check);
	if (directory_names(check->store->containers_fd, ".", &names) < 0)
		return error_os(err, "%s/containers", check->store->root);
	for (size_t i = 0; i < names.count; i++)
		if (path_is_id(names.items[i]))
			check_container(check, names.items[i]);
	return 0;
}
