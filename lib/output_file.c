/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/output_file.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *temporary_name(const char *name)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	return xasprintf(".%s.%s", name, unique);
}

/* Without a name it leaves nothing behind when we are killed; not every file system can. */
static int create(struct output_file *file, mode_t mode)
{
	file->fd = openat(file->dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
	if (file->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return file->fd;

	cleanup_free char *temporary = temporary_name(file->name);
	file->fd = openat(file->dir_fd, temporary,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (file->fd >= 0)
		file->temporary = steal_ptr(&temporary);
	return file->fd;
}

int output_file_open(const char *path, mode_t mode, struct output_file *file, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *directory =
		slash ? xasprintf("%.*s/", (int)(slash - path), path) : xstrdup(".");
	struct stat st;

	file->name = xstrdup(slash ? slash + 1 : path);
	if (!file->name[0] || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		return error_set(err, ERROR_USAGE, "%s is no regular file", path);
	file->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir_fd < 0 || create(file, mode) < 0)
		return error_os(err, "%s", path);
	return 0;
}

/* A file that its owner may have put into a directory of all, for root to fill: who opens it to
 * write is kept from it by fs.protected_regular, see proc_sys_fs(5). */
static bool is_planted(const struct output_file *file, const struct stat *there)
{
	struct stat dir;

	return fstat(file->dir_fd, &dir) == 0 && (dir.st_mode & S_ISVTX) &&
	       (dir.st_mode & (S_IWGRP | S_IWOTH)) && there->st_uid != geteuid() &&
	       there->st_uid != dir.st_uid;
}

int output_file_inherit(struct output_file *file, struct error *err)
{
	struct stat st;
	bool replaces = fstatat(file->dir_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode);

	return replaces && !is_planted(file, &st) && file_inherit(file->fd, &st) < 0
		       ? error_os(err, "%s", file->name)
		       : 0;
}

/* Only to replace a file it has another name for a moment. */
static int put_in_place(struct output_file *file)
{
	if (!file->temporary) {
		if (file_link(file->fd, file->dir_fd, file->name) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		cleanup_free char *temporary = temporary_name(file->name);
		if (file_link(file->fd, file->dir_fd, temporary) < 0)
			return -1;
		file->temporary = steal_ptr(&temporary);
	}
	return renameat(file->dir_fd, file->temporary, file->dir_fd, file->name);
}

int output_file_publish(struct output_file *file, struct error *err)
{
	if (fsync(file->fd) < 0 || put_in_place(file) < 0)
		return error_os(err, "%s", file->name);
	free(steal_ptr(&file->temporary));
	return file_sync_dir(file->dir_fd, file->name, err);
}

void output_file_close(struct output_file *file)
{
	if (file->temporary)
		unlinkat(file->dir_fd, file->temporary, 0);
	free(file->temporary);
	free(file->name);
	cleanup_fd_p(&file->fd);
	cleanup_fd_p(&file->dir_fd);
}
