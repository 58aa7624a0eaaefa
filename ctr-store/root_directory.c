/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/root_directory.h"

#include "ctr-store/erofs_shared.h"
#include "ctr-store/id_map.h"
#include "ctr-store/layer.h"
#include "ctr-store/lost_store.h"
#include "ctr-store/xattrs.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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

static bool is_overlay(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) == 0 ||
	       strncmp(name, "user.overlay.", 13) == 0;
}

static int copy_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	const int *to_fd = context;

	if (is_overlay(xattr->name) || xattr_set(*to_fd, xattr, err) == 0)
		return 0;
	/* an older tmpfs has no user.*: the directory is usable without */
	if (err->os != EOPNOTSUPP)
		return -1;
	log_message(LOG_LEVEL_WARN, "no extended attributes here: %s is lost", xattr->name);
	return 0;
}

/* Make a directory look as another does; from_fd may be -1, for one with neither time nor
 * attributes. */
static int give_look(int fd, int from_fd, const struct stat *st, const struct id_maps *maps,
		     struct error *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	/* from the directory that it was made in: they would be passed on to every new file */
	(void)fremovexattr(fd, "system.posix_acl_default");
	(void)fremovexattr(fd, "system.posix_acl_access");
	if (fchown(fd, id_map_to_host(maps->uids, st->st_uid),
		   id_map_to_host(maps->gids, st->st_gid)) < 0 ||
	    fchmod(fd, st->st_mode & 07777) < 0)
		return error_os(err, "the root directory");
	if (from_fd < 0)
		return 0;
	if (xattrs_each(from_fd, copy_xattr, &fd, err) < 0)
		return error_prefix(err, "the root directory");
	return futimens(fd, times) < 0 ? error_os(err, "the root directory") : 0;
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
	return give_look(upper_fd, fd, &st, maps, err);
}

/* ---- one above the layers -------------------------------------------------------------------- */

static const char prefix[] = "look-";

static char *top_directory(const struct store *store)
{
	return xasprintf("%s/empty", store->runroot);
}

static int hash_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	return is_overlay(xattr->name) ? 0 : xattr_hash(xattr, context, err);
}

/* What give_look() copies, but for the time of the last access, as a digest. */
static int digest_look(int fd, const struct stat *st, char digest[static DIGEST_SIZE],
		       struct error *err)
{
	cleanup_hasher struct hasher hasher = { 0 };
	char text[96];

	hasher_start(&hasher, "sha256");
	snprintf(text, sizeof text, "%o %u %u %lld.%09ld", st->st_mode, st->st_uid, st->st_gid,
		 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	hasher_update(&hasher, text, strlen(text) + 1);
	if (xattrs_each(fd, hash_xattr, &hasher, err) < 0)
		return error_prefix(err, "the root directory of a layer");
	hasher_finish(&hasher, digest);
	return 0;
}

/* A new empty directory under that name, complete from the start. */
static int make_look_alike(const char *top, const char *name, int from_fd, const struct stat *st,
			   struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *temporary = xasprintf("%s/.%s", top, unique);
	if (mkdir(top, 0700) < 0 && errno != EEXIST)
		return error_os(err, "%s", top);
	if (mkdir(temporary, 0700) < 0)
		return error_os(err, "%s", temporary);

	cleanup_fd int fd = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 ? error_os(err, "%s", temporary)
			    : give_look(fd, from_fd, st, &(struct id_maps){ 0 }, err);
	/* not over that of another, who may have mounted it */
	bool made = status == 0 &&
		    renameat2(AT_FDCWD, temporary, AT_FDCWD, name, RENAME_NOREPLACE) == 0;
	if (status == 0 && !made && errno != EEXIST)
		status = error_os(err, "%s", name);
	if (!made)
		rmdir(temporary);
	return status;
}

/* flock(2), since a directory can be opened only for reading. */
static int hold(const char *path, int operation)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, operation | LOCK_NB) == 0 ? steal_fd(&fd) : -1;
}

int root_directory_add(const struct store *store, struct strings *layers,
		       const struct erofs_user *user, int *held, struct error *err)
{
	char look[DIGEST_SIZE], top_look[DIGEST_SIZE];
	struct stat declared, top;
	size_t position = 0;
	int found = find_declared(store, layers, &position, err);

	*held = -1;
	if (found <= 0 || position == layers->count - 1)
		return found < 0 ? -1 : 0;
	cleanup_fd int fd = open_layer(store, layers->items[position], user, err);
	cleanup_fd int top_fd =
		fd < 0 ? -1 : open_layer(store, layers->items[layers->count - 1], user, err);
	if (top_fd < 0)
		return -1;
	if (fstat(fd, &declared) < 0 || fstat(top_fd, &top) < 0)
		return error_os(err, "the root directory of a layer");
	if (digest_look(fd, &declared, look, err) < 0 ||
	    digest_look(top_fd, &top, top_look, err) < 0)
		return -1;
	if (strcmp(look, top_look) == 0)
		return 0;

	/* named for its look, it serves every mount that needs such a one */
	cleanup_free char *directory = top_directory(store);
	cleanup_free char *name = xasprintf("%s/%s%s", directory, prefix, digest_hex(look));
	if (access(name, F_OK) < 0 && make_look_alike(directory, name, fd, &declared, err) < 0)
		return -1;
	*held = hold(name, LOCK_SH);
	if (*held < 0)
		return error_os(err, "%s", name);
	strings_add(layers, name);
	return 0;
}

void root_directory_collect(const struct store *store, const json_t *records)
{
	cleanup_free char *directory = top_directory(store);
	cleanup_strings struct strings names = { 0 };
	json_auto_t *used = json_object();
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		const char *root = json_text(record, "rootDirectory", "");
		const char *slash = strrchr(root, '/');

		json_object_set_new(used, slash ? slash + 1 : root, json_true());
	}
	directory_names(AT_FDCWD, directory, &names);
	for (i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		bool is_half_made = name[0] == '.';
		bool is_ours = is_half_made || strncmp(name, prefix, strlen(prefix)) == 0;
		cleanup_free char *path = xasprintf("%s/%s", directory, name);

		if (!is_ours || json_object_get(used, name))
			continue;
		cleanup_fd int alone = hold(path, LOCK_EX);
		if (alone >= 0)
			rmdir(path);
	}
}
