/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/relocate.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HOPS_MAX = 40 };

static int merge(struct tree *tree, struct dir *from, struct dir *to, struct error *err);

/* `name` is in both places. */
static int merge_same(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		      struct error *err)
{
	struct dir *child = tree_find(tree, from, name), *other = tree_find(tree, to, name);

	if (child && other && !child->declared)
		return merge(tree, child, other, err);
	return error_set(err, ERROR_INTEGRITY,
			 "\"%s\" is also where a symbolic link of a lower layer leads to", name);
}

static int move_one(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		    struct error *err)
{
	int from_fd = tree_fd(tree, from, err), to_fd = tree_fd(tree, to, err);
	struct dir *child = tree_find(tree, from, name);

	if (from_fd < 0 || to_fd < 0)
		return -1;
	if (renameat2(from_fd, name, to_fd, name, RENAME_NOREPLACE) == 0) {
		if (child)
			tree_move(tree, child, to);
		return 0;
	}
	if (errno != EEXIST)
		return error_os(err, "cannot move \"%s\"", name);
	if (tree_is_whiteout(from_fd, name)) {
		if (unlinkat(from_fd, name, 0) < 0)
			return error_os(err, "cannot remove a whiteout");
		return 0;
	}
	return merge_same(tree, from, to, name, err);
}

/* Leaves `from` empty, and removes it. */
static int merge(struct tree *tree, struct dir *from, struct dir *to, struct error *err)
{
	int path_fd = tree_fd(tree, from, err);
	cleanup_fd int fd = path_fd < 0 ? -1 : openat(path_fd, ".", O_RDONLY | O_CLOEXEC);
	cleanup_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (path_fd < 0)
		return -1;
	if (!stream)
		return error_os(err, "cannot read \"%s\"", from->name);
	steal_fd(&fd);
	while ((errno = 0, entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (move_one(tree, from, to, entry->d_name, err) < 0)
			return -1;
	}
	if (errno)
		return error_os(err, "cannot read \"%s\"", from->name);
	to->has_whiteouts |= from->has_whiteouts;
	from->moved_to = to;

	int parent_fd = tree_fd(tree, from->parent, err);
	if (parent_fd < 0)
		return -1;
	if (unlinkat(parent_fd, from->name, AT_REMOVEDIR) < 0)
		return error_os(err, "cannot remove \"%s\"", from->name);
	return tree_remove(tree, from->parent, from->name, err);
}

int relocate(struct tree *tree, struct dir *dir, const char *target, struct error *err)
{
	struct dir *to;

	if (tree_walk(tree, dir->parent, target, true, &to, err) < 0)
		return -1;
	for (const struct dir *above = to; above->parent; above = above->parent)
		if (above == dir)
			return error_set(err, ERROR_INTEGRITY, "it is a link into itself");
	if (dir->hops >= HOPS_MAX)
		return error_set(err, ERROR_INTEGRITY, "too many symbolic links");
	if (to->hops <= dir->hops)
		to->hops = (uint8_t)(dir->hops + 1);
	return merge(tree, dir, to, err);
}
