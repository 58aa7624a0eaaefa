/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/finish.h"

#include "ctr-store/worker/meta.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SET_ID = 06000 };

static int drop_whiteouts(int dir_fd, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return error_os(err, "cannot read it");
	steal_fd(&fd);
	while ((errno = 0, entry = readdir(stream))) {
		if (entry->d_type != DT_CHR && entry->d_type != DT_UNKNOWN)
			continue;
		if (tree_is_whiteout(dir_fd, entry->d_name) &&
		    unlinkat(dir_fd, entry->d_name, 0) < 0)
			return error_os(err, "cannot remove a whiteout");
	}
	return errno ? error_os(err, "cannot read it") : 0;
}

static int set_mode(int dir_fd, mode_t mode, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return error_os(err, "mode %04o", mode);
	return 0;
}

static int finish(struct tree *tree, struct dir *dir, struct marker *marker, const char *path,
		  struct error *err)
{
	int path_fd = tree_fd(tree, dir, err);
	bool merged = dir->parent && !tree_is_hidden(dir->parent);

	if (path_fd < 0)
		return -1;
	if (dir->has_whiteouts && tree_is_hidden(dir) && drop_whiteouts(path_fd, err) < 0)
		return -1;
	if (merged && (dir->opaque || dir->fresh) && marker_mark(marker, path, err) < 0)
		return -1;
	if ((dir->mode & SET_ID) && set_mode(path_fd, dir->mode, err) < 0)
		return -1;
	return meta_set_time(path_fd, &dir->mtime, err);
}

int finish_directories(struct tree *tree, struct marker *marker, struct error *err)
{
	char path[NAME_PATH_MAX + 1];

	for (struct dir *dir = tree->root; dir; dir = dir->next_made) {
		if (tree_is_dead(dir))
			continue;
		if (tree_path(dir, path, err) < 0)
			return -1;
		if (finish(tree, dir, marker, path, err) < 0)
			return error_prefix(err, "directory \"%s\"", path);
	}
	return 0;
}
