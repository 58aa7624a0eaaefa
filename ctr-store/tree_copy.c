/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/tree_copy.h"

#include "ctr-store/tree_walk.h"
#include "ctr-store/xattrs.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CHUNK = 64 << 10 };

/* A directory whose time is set when all is in it. */
struct directory {
	char *path;
	struct timespec times[2];
};

struct copy {
	int target_fd;
	const struct id_maps *maps;
	json_t *linked; /* first path of each inode that has several names */
	struct directory *directories;
	size_t count;
};

static void copy_free(struct copy *copy)
{
	json_decref(copy->linked);
	for (size_t i = 0; i < copy->count; i++)
		free(copy->directories[i].path);
	free(copy->directories);
}

/* ---- content ---- */

static int copy_range(int in, int out, off_t start, off_t end, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, CHUNK);

	while (start < end) {
		off_t from = start, to = start;
		ssize_t got = copy_file_range(in, &from, out, &to, (size_t)(end - start), 0);

		if (got < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
			got = pread(in, buffer, CHUNK, start);
			if (got > 0)
				got = pwrite(out, buffer, (size_t)got, start);
		}
		if (got < 0)
			return error_os(err, "cannot copy");
		if (got == 0)
			return 0;
		start += got;
	}
	return 0;
}

/* Shared blocks where the file system has them; else what is not a hole. */
static int copy_content(int in, int out, off_t size, struct error *err)
{
	if (size == 0 || ioctl(out, FICLONE, in) == 0)
		return 0;
	for (off_t at = 0; at < size;) {
		off_t data = lseek(in, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(in, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO)
			break;
		if (hole < 0) {
			data = at;
			hole = size;
		}
		if (copy_range(in, out, data, hole, err) < 0)
			return -1;
		at = hole;
	}
	return ftruncate(out, size) < 0 ? error_os(err, "cannot copy") : 0;
}

/* ---- attributes ---- */

/* File capabilities of an image count below the container's root user: version 3 with that user's
 * id at the end, rather than 2 (capabilities(7)). */
static size_t bind_capability(const struct copy *copy, unsigned char *value, size_t size)
{
	enum { VERSION_2_SIZE = 20, VERSION_3_SIZE = 24, VERSION_BYTE = 3 };
	uint32_t root = id_map_to_host(copy->maps->uids, 0);

	if (root == 0 || size != VERSION_2_SIZE || value[VERSION_BYTE] != 2)
		return size;
	value[VERSION_BYTE] = 3;
	for (int i = 0; i < 4; i++)
		value[VERSION_2_SIZE + i] = (unsigned char)(root >> 8 * i);
	return VERSION_3_SIZE;
}

struct look {
	const struct copy *copy;
	int out;
};

static int copy_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	const struct look *look = context;
	struct xattr copied = *xattr;

	if (!xattr_is_kept(xattr->name))
		return 0;
	if (xattr_is_capability(xattr->name))
		copied.size = bind_capability(look->copy, xattr->value, xattr->size);
	return xattr_set(look->out, &copied, err);
}

static int remove_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	const int *out = context;

	if (xattr_is_kept(xattr->name) && fremovexattr(*out, xattr->name) < 0)
		return error_os(err, "extended attribute %s", xattr->name);
	return 0;
}

/* Owner, mode and attributes, in the order that keeps set-user-ID and capabilities. */
static int copy_look(const struct copy *copy, int in, int out, const struct stat *st,
		     struct error *err)
{
	if (fchown(out, id_map_to_host(copy->maps->uids, st->st_uid),
		   id_map_to_host(copy->maps->gids, st->st_gid)) < 0 ||
	    fchmod(out, st->st_mode & 07777) < 0)
		return error_os(err, "owner and mode");
	return xattrs_each(in, copy_xattr, &(struct look){ copy, out }, err);
}

/* ---- entries ---- */

static int copy_file(const struct copy *copy, const struct tree_entry *entry, int parent_fd,
		     struct error *err)
{
	const struct timespec times[2] = { entry->st->st_atim, entry->st->st_mtim };
	cleanup_fd int in = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int out =
		in < 0 ? -1
		       : openat(parent_fd, entry->name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (out < 0)
		return error_os(err, "cannot copy");
	if (copy_content(in, out, entry->st->st_size, err) < 0 ||
	    copy_look(copy, in, out, entry->st, err) < 0)
		return -1;
	return futimens(out, times) < 0 ? error_os(err, "modification time") : 0;
}

static int copy_other(const struct copy *copy, const struct tree_entry *entry, int parent_fd,
		      struct error *err)
{
	const struct timespec times[2] = { entry->st->st_atim, entry->st->st_mtim };
	const struct stat *st = entry->st;
	char target[PATH_MAX] = "";
	bool is_link = S_ISLNK(st->st_mode);

	if (is_link && readlinkat(entry->dir_fd, entry->name, target, sizeof target - 1) < 0)
		return error_os(err, "cannot read the link");
	int made = is_link ? symlinkat(target, parent_fd, entry->name)
			   : mknodat(parent_fd, entry->name, st->st_mode, st->st_rdev);
	if (made < 0 ||
	    fchownat(parent_fd, entry->name, id_map_to_host(copy->maps->uids, st->st_uid),
		     id_map_to_host(copy->maps->gids, st->st_gid), AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!is_link && fchmodat(parent_fd, entry->name, st->st_mode & 07777, 0) < 0) ||
	    utimensat(parent_fd, entry->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_os(err, "cannot copy");
	return 0;
}

static int copy_directory(struct copy *copy, const struct tree_entry *entry, int parent_fd,
			  struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat there;
	cleanup_fd int in = openat(entry->dir_fd, entry->name, flags);

	if (in < 0)
		return error_os(err, "cannot open");
	int opaque = xattr_is_opaque(in, err);
	if (opaque < 0)
		return -1;
	bool keep = fstatat(parent_fd, entry->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(there.st_mode) && !opaque;
	if (!keep && path_remove_tree(parent_fd, entry->name, err) < 0)
		return -1;
	if (!keep && mkdirat(parent_fd, entry->name, 0700) < 0)
		return error_os(err, "cannot make it");
	cleanup_fd int out = openat(parent_fd, entry->name, flags);
	if (out < 0)
		return error_os(err, "cannot open");
	/* those of a lower layer do not count */
	if (keep && xattrs_each(out, remove_xattr, &out, err) < 0)
		return -1;
	copy->directories = xgrow(copy->directories, copy->count, sizeof *copy->directories);
	copy->directories[copy->count++] =
		(struct directory){ xstrdup(entry->path),
				    { entry->st->st_atim, entry->st->st_mtim } };
	return copy_look(copy, in, out, entry->st, err);
}

/* 1 when it was linked to its first name. */
static int copy_hard_link(const struct copy *copy, const struct tree_entry *entry, int parent_fd,
			  struct error *err)
{
	char key[32];

	if (entry->st->st_nlink < 2)
		return 0;
	snprintf(key, sizeof key, "%llx", (unsigned long long)entry->st->st_ino);
	const char *first = json_string_value(json_object_get(copy->linked, key));
	if (!first) {
		json_object_set_new(copy->linked, key, json_string_nocheck(entry->path));
		return 0;
	}
	return linkat(copy->target_fd, first, parent_fd, entry->name, 0) < 0
		       ? error_os(err, "cannot link it")
		       : 1;
}

static int copy_entry(struct copy *copy, const struct tree_entry *entry, int parent_fd,
		      struct error *err)
{
	if (S_ISDIR(entry->st->st_mode))
		return copy_directory(copy, entry, parent_fd, err);
	if (path_remove_tree(parent_fd, entry->name, err) < 0)
		return -1;
	if (tree_is_whiteout(entry->st))
		return 0;
	int linked = copy_hard_link(copy, entry, parent_fd, err);
	if (linked)
		return linked < 0 ? -1 : 0;
	return S_ISREG(entry->st->st_mode) ? copy_file(copy, entry, parent_fd, err)
					   : copy_other(copy, entry, parent_fd, err);
}

static int visit(const struct tree_entry *entry, void *context, struct error *err)
{
	struct copy *copy = context;
	size_t length = strlen(entry->path) - (entry->path[0] ? strlen(entry->name) : 0);

	if (!entry->path[0])
		return 0;
	cleanup_free char *parent = length ? xstrndup(entry->path, length - 1) : xstrdup(".");
	cleanup_fd int parent_fd =
		path_open_beneath(copy->target_fd, parent, O_RDONLY | O_DIRECTORY, err);
	if (parent_fd < 0 || copy_entry(copy, entry, parent_fd, err) < 0)
		return error_prefix(err, "/%s", entry->path);
	return 0;
}

int tree_copy_layer(int layer_fd, int target_fd, const struct id_maps *maps, struct error *err)
{
	__attribute__((cleanup(copy_free))) struct copy copy = { .target_fd = target_fd,
								 .maps = maps,
								 .linked = json_object() };

	if (tree_walk(layer_fd, visit, &copy, err) < 0)
		return -1;
	for (size_t i = copy.count; i > 0; i--)
		if (utimensat(target_fd, copy.directories[i - 1].path,
			      copy.directories[i - 1].times, AT_SYMLINK_NOFOLLOW) < 0)
			return error_os(err, "/%s", copy.directories[i - 1].path);
	return 0;
}
