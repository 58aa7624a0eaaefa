/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/blob_dir.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int blob_dir_open(const char *path, bool create, struct error *err)
{
	if (create && path_make_dirs(path, 0755, err) < 0)
		return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

/* "sha256/HEX"; the caller frees it. */
static char *blob_path(const char *digest)
{
	char *path = xstrdup(digest);

	*strchr(path, ':') = '/';
	return path;
}

bool blob_dir_has(int fd, const char *digest, json_int_t size)
{
	cleanup_free char *path = blob_path(digest);
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == size;
}

int blob_dir_open_blob(int fd, const char *digest, struct error *err)
{
	cleanup_free char *path = blob_path(digest);
	cleanup_fd int blob = path_open_beneath(fd, path, O_RDONLY | O_NONBLOCK, err);
	struct stat st;

	if (blob < 0)
		return -1;
	if (fstat(blob, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "blob %s is not a file", digest);
	return steal_fd(&blob);
}

int blob_dir_adopt(int fd, int new_fd, const char *name, const char *digest, struct error *err)
{
	cleanup_free char *path = blob_path(digest);
	cleanup_free char *algorithm = xstrndup(digest, strcspn(digest, ":"));

	if (mkdirat(fd, algorithm, 0755) < 0 && errno != EEXIST)
		return error_os(err, "%s", algorithm);
	cleanup_fd int directory = path_open_beneath(fd, algorithm, O_RDONLY | O_DIRECTORY, err);
	cleanup_fd int file = openat(new_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return -1;
	if (file < 0 || fsync(file) < 0 || renameat(new_fd, name, fd, path) < 0)
		return error_os(err, "blob %s", digest);
	return file_sync_dir(directory, algorithm, err);
}
