/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/copied.h"

#include "ctr-store/xattrs.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct comparison {
	int other_fd; /* what the walked tree is compared with */
	copied_visit *visit;
	void *context;
	char *gone; /* the last path that was removed: what is in it needs no mention */
};

static bool same_link(const struct tree_entry *entry, int other_fd)
{
	char one[PATH_MAX], other[PATH_MAX];
	ssize_t length = readlinkat(entry->dir_fd, entry->name, one, sizeof one);

	return length >= 0 && readlinkat(other_fd, "", other, sizeof other) == length &&
	       memcmp(one, other, (size_t)length) == 0;
}

static bool same_look(const struct tree_entry *entry, int other_fd)
{
	const struct stat *one = entry->st;
	struct stat other;

	if (fstatat(other_fd, "", &other, AT_EMPTY_PATH) < 0 || one->st_mode != other.st_mode ||
	    one->st_uid != other.st_uid || one->st_gid != other.st_gid)
		return false;
	if (!entry->path[0])
		return true;
	if (one->st_mtim.tv_sec != other.st_mtim.tv_sec ||
	    one->st_mtim.tv_nsec != other.st_mtim.tv_nsec)
		return false;
	if (S_ISLNK(one->st_mode))
		return same_link(entry, other_fd);
	return S_ISDIR(one->st_mode) || (S_ISREG(one->st_mode) ? one->st_size == other.st_size
							       : one->st_rdev == other.st_rdev);
}

/* In a copy capabilities may be bound to its root user, which changes nothing. */
static int add_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	size_t size = xattr->size;

	(void)err;
	if (!xattr_is_kept(xattr->name))
		return 0;
	if (xattr_is_capability(xattr->name))
		size = xattr_unbind_capability(xattr->value, size);
	buffer_append(context, xattr->name, strlen(xattr->name) + 1);
	buffer_append(context, &size, sizeof size);
	buffer_append(context, xattr->value, size);
	return 0;
}

/* 1 or 0. They leave no trace in a file's times that would tell (setcap(8)). */
static int same_xattrs(const struct tree_entry *entry, int top_fd, struct error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	cleanup_buffer struct buffer one = { 0 }, other = { 0 };
	cleanup_fd int fd = openat(entry->dir_fd, entry->name, flags);

	/* removed meanwhile */
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return error_os(err, "cannot open");
	cleanup_fd int other_fd = path_open_beneath(top_fd, entry->path, flags, err);
	if (other_fd < 0 || xattrs_each(fd, add_xattr, &one, err) < 0 ||
	    xattrs_each(other_fd, add_xattr, &other, err) < 0)
		return -1;
	return buffer_length(&one) == buffer_length(&other) &&
	       memcmp(buffer_data(&one), buffer_data(&other), buffer_length(&one)) == 0;
}

static int compare_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	const struct comparison *comparison = context;
	cleanup_fd int fd = tree_open(comparison->other_fd, entry->path, err);

	if (fd < 0 && !tree_is_absent(err))
		return -1;
	int same = fd >= 0 && same_look(entry, fd);
	if (same && entry->path[0] && (S_ISREG(entry->st->st_mode) || S_ISDIR(entry->st->st_mode)))
		same = same_xattrs(entry, comparison->other_fd, err);
	if (same)
		return same < 0 ? error_prefix(err, "/%s", entry->path) : 0;
	return comparison->visit(entry, fd >= 0 ? "changed" : "added", comparison->context, err);
}

static int find_removed(const struct tree_entry *entry, void *context, struct error *err)
{
	struct comparison *comparison = context;
	size_t length = comparison->gone ? strlen(comparison->gone) : 0;

	if (length && strncmp(entry->path, comparison->gone, length) == 0 &&
	    entry->path[length] == '/')
		return 0;
	cleanup_fd int fd = tree_open(comparison->other_fd, entry->path, err);
	if (fd < 0 && !tree_is_absent(err))
		return -1;
	/* where something else stands in the place of a directory above, that says it all */
	if (fd >= 0 || err->os != ENOENT)
		return 0;
	free(comparison->gone);
	comparison->gone = xstrdup(entry->path);
	return comparison->visit(entry, "removed", comparison->context, err);
}

int copied_compare(int rootfs_fd, int lower_fd, copied_visit *visit, void *context,
		   struct error *err)
{
	struct comparison comparison = { lower_fd, visit, context, NULL };

	if (tree_walk(rootfs_fd, compare_entry, &comparison, err) < 0)
		return -1;
	comparison.other_fd = rootfs_fd;
	int status = tree_walk(lower_fd, find_removed, &comparison, err);
	free(comparison.gone);
	return status;
}
