/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/root_directory.h"

#include "ctr-store/erofs_shared.h"
#include "ctr-store/id_map.h"
#include "ctr-store/layer.h"
#include "ctr-store/lost_store.h"
#include "ctr-store/xattrs.h"
#include "lib/cleanup.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The topmost layer that says how the root directory is: 1 with its position, 0 when none does. */
static int find_declared(const struct store *store, const struct strings *layers, size_t *position,
			 struct error *err)
{
	for (size_t i = layers->count; i > 0; i--) {
		json_auto_t *facts = layer_read(store, layers->items[i - 1], err);

		if (!facts && lost_store_has(layers->items[i - 1]))
			return lost_store_error(layers->items[i - 1], err);
		if (!facts)
			return error_prefix(err, "layer %s", layers->items[i - 1]);
		if (json_is_true(json_object_get(facts, "root"))) {
			*position = i - 1;
			return 1;
		}
	}
	return 0;
}

static int open_layer(const struct store *store, const char *id, const struct erofs_user *user,
		      struct error *err)
{
	cleanup_free char *path = layer_path(store, id);
	int fd = erofs_shared_open(store, path, user, err);

	return fd < 0 ? error_prefix(err, "layer %s", id) : fd;
}

static int copy_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	const int *to_fd = context;

	if (strncmp(xattr->name, "trusted.overlay.", 16) == 0 ||
	    strncmp(xattr->name, "user.overlay.", 13) == 0)
		return 0;
	return xattr_set(*to_fd, xattr, err);
}

int root_directory_copy(const struct store *store, const struct strings *layers,
			const struct id_maps *maps, int upper_fd, struct error *err)
{
	struct stat st = { .st_mode = 0755 };
	size_t position = 0;
	int found = find_declared(store, layers, &position, err);
	cleanup_fd int fd = found == 1 ? open_layer(store, layers->items[position], NULL, err) : -1;

	if (found < 0 || (found == 1 && fd < 0))
		return -1;
	if (fd >= 0 && fstat(fd, &st) < 0)
		return error_os(err, "the root directory of a layer");
	/* from the directory that the store is in: they would be passed on to every new file */
	(void)fremovexattr(upper_fd, "system.posix_acl_default");
	(void)fremovexattr(upper_fd, "system.posix_acl_access");
	if (fchown(upper_fd, id_map_to_host(maps->uids, st.st_uid),
		   id_map_to_host(maps->gids, st.st_gid)) < 0 ||
	    fchmod(upper_fd, st.st_mode & 07777) < 0)
		return error_os(err, "upper directory");
	if (fd < 0)
		return 0;
	if (xattrs_each(fd, copy_xattr, &upper_fd, err) < 0)
		return error_prefix(err, "the root directory");

	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	return futimens(upper_fd, times) < 0 ? error_os(err, "upper directory") : 0;
}

/* An empty directory with that look; it is made once and serves every mount that needs it. */
static int make_look_alike(const struct store *store, const struct stat *st, char **path,
			   struct error *err)
{
	char unique[RANDOM_NAME_SIZE];
	cleanup_free char *top = xasprintf("%s/empty", store->runroot);
	cleanup_free char *name =
		xasprintf("%s/root-%o-%u-%u", top, st->st_mode & 07777, st->st_uid, st->st_gid);

	random_name(unique);
	cleanup_free char *temporary = xasprintf("%s/.%s", top, unique);
	if (access(name, F_OK) == 0) {
		*path = steal_ptr(&name);
		return 0;
	}
	if (mkdir(top, 0700) < 0 && errno != EEXIST)
		return error_os(err, "%s", top);
	if (mkdir(temporary, 0700) < 0)
		return error_os(err, "%s", temporary);
	/* to rename over another empty directory is fine */
	if (chown(temporary, st->st_uid, st->st_gid) < 0 ||
	    chmod(temporary, st->st_mode & 07777) < 0 || rename(temporary, name) < 0) {
		error_os(err, "%s", name);
		rmdir(temporary);
		return -1;
	}
	*path = steal_ptr(&name);
	return 0;
}

int root_directory_add(const struct store *store, struct strings *layers,
		       const struct erofs_user *user, struct error *err)
{
	struct stat declared, top;
	cleanup_free char *path = NULL;
	size_t position = 0;
	int found = find_declared(store, layers, &position, err);

	if (found <= 0 || position == layers->count - 1)
		return found < 0 ? -1 : 0;
	cleanup_fd int fd = open_layer(store, layers->items[position], user, err);
	cleanup_fd int top_fd =
		fd < 0 ? -1 : open_layer(store, layers->items[layers->count - 1], user, err);
	if (top_fd < 0)
		return -1;
	if (fstat(fd, &declared) < 0 || fstat(top_fd, &top) < 0)
		return error_os(err, "the root directory of a layer");
	if (declared.st_mode == top.st_mode && declared.st_uid == top.st_uid &&
	    declared.st_gid == top.st_gid)
		return 0;
	if (make_look_alike(store, &declared, &path, err) < 0)
		return -1;
	strings_add(layers, path);
	return 0;
}
