/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/container.h"

#include "ctr-store/attach.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/container_name.h"
#include "ctr-store/id_map.h"
#include "ctr-store/quota.h"
#include "ctr-store/trash.h"
#include "ctr-store/user_namespace.h"
#include "ctr-store/volatile.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_PREFIX_MIN = 4 };

/* ---- finding ---- */

static int no_container(const char *text, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", text);
	return error_hint(err, "see ctr-store containers");
}

/* The container that has this name, if any has. NULL with ERROR_NOT_FOUND. */
static json_t *find_by_name(const struct store *store, const char *name, struct error *err)
{
	cleanup_free char *id = container_name_find(store, name, err);
	json_auto_t *container = id ? container_read(store, id, err) : NULL;

	if (id && !container && err->os != ENOENT)
		return NULL;
	if (container && strcmp(json_text(container, "name", ""), name) == 0)
		return json_incref(container);
	if (id || err->kind == ERROR_NOT_FOUND)
		no_container(name, err);
	return NULL;
}

json_t *container_find_whole(const struct store *store, const char *text, struct error *err)
{
	if (!path_is_id(text)) {
		no_container(text, err);
		return NULL;
	}
	json_t *container = container_read(store, text, err);
	return container || err->os != ENOENT ? container : find_by_name(store, text, err);
}

/* The id that begins so; NULL with ERROR_NOT_FOUND, or ERROR_USAGE when several do. The caller
 * frees it. */
static char *complete_id(const struct store *store, const char *text, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	cleanup_free char *id = NULL;
	size_t length = strlen(text);

	if (length >= ID_PREFIX_MIN && container_list_ids(store, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		if (strncmp(ids.items[i], text, length) != 0)
			continue;
		if (id) {
			error_set(err, ERROR_USAGE, "\"%s\" means several containers", text);
			return NULL;
		}
		id = xstrdup(ids.items[i]);
	}
	if (!id)
		no_container(text, err);
	return steal_ptr(&id);
}

json_t *container_find(const struct store *store, const char *text, struct error *err)
{
	json_t *container = container_find_whole(store, text, err);

	if (container || err->kind != ERROR_NOT_FOUND)
		return container;
	cleanup_free char *id = complete_id(store, text, err);
	container = id ? container_read(store, id, err) : NULL;
	if (id && !container && err->os == ENOENT)
		no_container(text, err);
	return container;
}

static bool exists(const struct store *store, const char *id)
{
	return faccessat(store->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

char *container_find_damaged(const struct store *store, const char *text)
{
	struct error ignored;
	cleanup_free char *named =
		path_is_id(text) ? container_name_find(store, text, &ignored) : NULL;
	const char *id = path_is_id(text) && exists(store, text) ? text : named;
	json_auto_t *facts = id ? container_read(store, id, &ignored) : NULL;

	return id && !facts && exists(store, id) ? xstrdup(id) : NULL;
}

int container_open_copy(const struct store *store, const json_t *container, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/rootfs", json_text(container, "id", ""));
	int fd = open_tree(store->containers_fd, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (fd >= 0)
		return fd;
	error_os(err, "container %s", path);
	return err->kind == ERROR_DENIED ? user_namespace_hint(err) : -1;
}

/* What is known of a damaged one. It may be a copy, in which others may have mounted something. */
static json_t *presume(const char *id)
{
	return json_pack("{s:s, s:s, s:b}", "id", id, "backend", "copy", "damaged", 1);
}

static json_t *lock_and_read(const struct store *store, const char *id, bool any, int *lock,
			     struct error *err)
{
	cleanup_fd int own_lock =
		lock_take(store->locks_fd, "container", id, LOCK_EXCLUSIVE, true, err);

	if (own_lock < 0)
		return NULL;
	json_t *now = container_read(store, id, err);
	if (!now && any && exists(store, id))
		now = presume(id);
	if (now) {
		*lock = steal_fd(&own_lock);
	} else if (err->os == ENOENT) {
		lock_discard(store->locks_fd, "container", id);
		no_container(id, err);
	}
	return now;
}

json_t *container_lock(const struct store *store, const char *id, int *lock, struct error *err)
{
	return lock_and_read(store, id, false, lock, err);
}

json_t *container_lock_any(const struct store *store, const char *id, int *lock, struct error *err)
{
	return lock_and_read(store, id, true, lock, err);
}

/* ---- mounting ---- */

json_t *container_mount(const struct store *store, const json_t *container, const char *target,
			struct error *err)
{
	const json_t *image = json_object_get(container, "image");
	const struct id_maps maps = id_maps_of(container);
	const char *id;

	if (json_require((json_t *)container, "rootfs.json", err, "{s:s}", "id", &id) < 0 ||
	    volatile_prepare(store, container, err) < 0)
		return NULL;
	/* not the stored path: the store may have been moved */
	cleanup_free char *upper = xasprintf("%s/containers/%s/upper", store->root, id);
	cleanup_free char *work = xasprintf("%s/containers/%s/work", store->root, id);
	cleanup_free char *rootfs = xasprintf("%s/containers/%s/rootfs", store->root, id);

	const struct attach attach = {
		.target = target ? target : rootfs,
		.layers = json_object_get(container, "layers"),
		.upper = upper,
		.work = work,
		.lose_writes = json_is_true(json_object_get(container, "throwaway")) ||
			       json_object_get(container, "volatile"),
		.image = json_text(image, "name", json_text(image, "id", "")),
		.image_id = json_text(image, "id", ""),
		.digest = json_text(image, "digest", ""),
		.container = id,
		.maps = &maps,
	};
	return attach_overlay(store, &attach, err);
}

/* ---- removing ---- */

void container_undo(const struct store *store, const json_t *container)
{
	cleanup_trash struct trash trash = { .store = store };
	const char *id = json_text(container, "id", "");
	struct error ignored;

	if (container_discard(store, container, &trash, &ignored) < 0)
		path_remove_tree(store->containers_fd, id, &ignored);
	container_name_forget(store, container);
	lock_discard(store->locks_fd, "container", id);
}

int container_discard(const struct store *store, const json_t *container, struct trash *trash,
		      struct error *err)
{
	const char *id = json_text(container, "id", "");

	if (trash_take(trash, store->containers_fd, id, NULL) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove container %s", id);
	container_name_forget(store, container);
	quota_release(store, container);
	/* what a power cut brings back is lost by it at the same time */
	return json_object_get(container, "volatile")
		       ? 0
		       : file_sync_dir(store->containers_fd, "containers", err);
}

size_t container_collect_lost(const struct store *store, struct trash *trash)
{
	cleanup_strings struct strings ids = { 0 };
	struct error ignored;
	size_t count = 0;
	struct stat st;

	if (container_list_ids(store, &ids, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < ids.count; i++) {
		cleanup_free char *facts = xasprintf("%s/rootfs.json", ids.items[i]);

		if (fstatat(store->containers_fd, facts, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_size == 0 &&
		    (!trash || trash_take(trash, store->containers_fd, ids.items[i], NULL) == 0))
			count++;
	}
	return count;
}
