/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/file.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read_fd(int fd, size_t max, size_t *length, const char *what, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t used = 0, size = 0;

	for (;;) {
		if (size - used < 2) {
			size = size ? size * 2 : 4096;
			if (size > max + 2)
				size = max + 2;
			text = xreallocarray(text, size, 1);
		}
		ssize_t got = read(fd, text + used, size - used - 1);
		if (got < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (got < 0) {
			error_os(err, "%s", what);
			return NULL;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > max) {
			error_set(err, ERROR_LIMIT, "%s: larger than %zu bytes", what, max);
			return NULL;
		}
	}
	text[used] = '\0';
	*length = used;
	return steal_ptr(&text);
}

char *file_read_at(int dir_fd, const char *path, size_t max, size_t *length, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	return file_read_fd(fd, max, length, path, err);
}

int file_write_fd(int fd, const void *data, size_t length, const char *what, struct error *err)
{
	const char *at = data;

	while (length > 0) {
		ssize_t put = write(fd, at, length);

		if (put < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (put < 0)
			return error_os(err, "%s", what);
		at += put;
		length -= (size_t)put;
	}
	return 0;
}

int file_sync_dir(int dir_fd, const char *what, struct error *err)
{
	/* dir_fd may be AT_FDCWD or O_PATH, which cannot be synced themselves */
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_os(err, "%s: sync of its directory", what);
	return 0;
}

static int write_new(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		     struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return error_os(err, "%s", name);
	if (file_write_fd(fd, data, length, name, err) < 0)
		return -1;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return error_os(err, "%s", name);
	return 0;
}

int file_replace_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		    struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	/* "." first: directory listings of ours skip it, so a leftover is never taken for an object
	 */
	cleanup_free char *temporary = xasprintf(".%s.%s", name, unique);
	if (write_new(dir_fd, temporary, data, length, mode, err) < 0) {
		unlinkat(dir_fd, temporary, 0);
		return error_prefix(err, "cannot write %s", name);
	}
	if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
		error_os(err, "cannot write %s", name);
		unlinkat(dir_fd, temporary, 0);
		return -1;
	}
	return file_sync_dir(dir_fd, name, err);
}
