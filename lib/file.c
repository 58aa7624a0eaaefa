/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/file.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

int file_read_known(const char *path, bool required, size_t max, char **text, size_t *length,
		    struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && !required && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return error_os(err, "%s", path);
	*text = file_read_fd(fd, max, length, path, err);
	return *text ? 1 : -1;
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

/* What a new file is to hold. */
struct content {
	const char *what; /* for errors */
	const void *data;
	size_t length;
	mode_t mode;
	enum {
		DURABLE_NEVER,
		DURABLE_BEFORE, /* before it has its name, and then the name */
		DURABLE_AFTER,	/* with its name, at once */
	} durable;
	bool is_new; /* there must be none of that name */
};

/* Complete the new file fd: all bytes, mode, on the disk or on their way to it. */
static int fill(int fd, const struct content *content, struct error *err)
{
	if (file_write_fd(fd, content->data, content->length, content->what, err) < 0)
		return -1;
	bool wait = content->durable == DURABLE_BEFORE;
	if (fchmod(fd, content->mode) < 0 || (wait && fsync(fd) < 0))
		return error_os(err, "%s", content->what);
	if (!wait)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

/* What is left to do when it has its name. A journal that brings the file's last change brings the
 * name, too. */
static int settle(int fd, const struct content *content, struct error *err)
{
	return content->durable == DURABLE_AFTER && fsync(fd) < 0
		       ? error_os(err, "%s", content->what)
		       : 0;
}

int file_inherit(int fd, const struct stat *replaced)
{
	mode_t mode = replaced->st_mode & 0777;

	/* what its group may do no other group may that others may not */
	if (fchown(fd, replaced->st_uid, replaced->st_gid) < 0 &&
	    fchown(fd, (uid_t)-1, replaced->st_gid) < 0)
		mode &= ~(mode_t)S_IRWXG | (mode & S_IRWXO) << 3;
	return fchmod(fd, mode);
}

int file_link(int fd, int dir_fd, const char *name)
{
	/* the first way needs a capability, the second /proc */
	if (linkat(fd, "", dir_fd, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;

	cleanup_free char *self = xasprintf("/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dir_fd, name, AT_SYMLINK_FOLLOW);
}

/* Give a complete file without a name its name. It passes through `temporary`, since a link does
 * not replace. Two who do this at once may meet there: who finds the other's file takes it away,
 * who finds none to rename has been replaced by the other already. */
static int link_over(int fd, int dir_fd, const char *temporary, const char *name)
{
	while (file_link(fd, dir_fd, temporary) < 0) {
		if (errno != EEXIST || (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT))
			return -1;
	}
	return renameat(dir_fd, temporary, dir_fd, name) < 0 && errno != ENOENT ? -1 : 0;
}

/* Of the file systems that this is for, some have no links and some cannot rename without
 * replacing, but each has one of the two. */
static int rename_new(int dir_fd, const char *from, const char *name)
{
	if (linkat(dir_fd, from, dir_fd, name, 0) == 0)
		return unlinkat(dir_fd, from, 0);
	return errno == EEXIST ? -1 : renameat2(dir_fd, from, dir_fd, name, RENAME_NOREPLACE);
}

/* For file systems without O_TMPFILE: a temporary name of its own, which a crash leaves behind. */
static int replace_by_name(int dir_fd, const char *name, const struct content *content,
			   struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *temporary = xasprintf(".%s.%s", name, unique);
	cleanup_fd int fd =
		openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, content->mode);
	if (fd < 0)
		return error_os(err, "%s", content->what);
	int status = fill(fd, content, err);
	if (status == 0 && (content->is_new ? rename_new(dir_fd, temporary, name)
					    : renameat(dir_fd, temporary, dir_fd, name)) < 0)
		status = error_os(err, "%s", content->what);
	if (status < 0)
		unlinkat(dir_fd, temporary, 0);
	return status < 0 ? -1 : settle(fd, content, err);
}

/* A file without a name until it is complete leaves nothing behind when we are killed; at most
 * `.NAME.new`, which the next one to replace NAME takes away. "." first: our directory listings
 * skip it. */
static int replace_unnamed(int dir_fd, const char *name, const struct content *content,
			   struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, content->mode);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		return replace_by_name(dir_fd, name, content, err);
	if (fd < 0)
		return error_os(err, "%s", content->what);
	if (fill(fd, content, err) < 0)
		return -1;
	if (content->is_new)
		return file_link(fd, dir_fd, name) < 0 ? error_os(err, "%s", content->what)
						       : settle(fd, content, err);
	cleanup_free char *temporary = xasprintf(".%s.new", name);
	if (link_over(fd, dir_fd, temporary, name) == 0)
		return settle(fd, content, err);
	error_os(err, "%s", content->what);
	unlinkat(dir_fd, temporary, 0);
	return -1;
}

/* A name with a path before it is a file of another directory: files without a name can only be
 * made in the one they are to be in. */
static int replace(int dir_fd, const char *name, struct content content, struct error *err)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	cleanup_free char *what = xasprintf("cannot write %s", name);
	cleanup_free char *directory = xstrndup(name, (size_t)(base - name));
	cleanup_fd int other_fd =
		slash ? openat(dir_fd, directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd = slash ? other_fd : dir_fd;

	if (slash && other_fd < 0)
		return error_os(err, "cannot write %s: its directory", name);
	content.what = what;
	if (replace_unnamed(fd, base, &content, err) < 0)
		return -1;
	if (content.durable != DURABLE_BEFORE || file_sync_dir(fd, name, err) == 0)
		return 0;
	if (content.is_new)
		unlinkat(fd, base, 0);
	return -1;
}

int file_replace_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		    struct error *err)
{
	const struct content content = { NULL, data, length, mode, DURABLE_BEFORE, false };

	return replace(dir_fd, name, content, err);
}

int file_create_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		   struct error *err)
{
	const struct content content = { NULL, data, length, mode, DURABLE_BEFORE, true };

	return replace(dir_fd, name, content, err);
}

int file_publish_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		    struct error *err)
{
	const struct content content = { NULL, data, length, mode, DURABLE_AFTER, false };

	return replace(dir_fd, name, content, err);
}

int file_replace_volatile_at(int dir_fd, const char *name, const void *data, size_t length,
			     mode_t mode, struct error *err)
{
	const struct content content = { NULL, data, length, mode, DURABLE_NEVER, false };

	return replace(dir_fd, name, content, err);
}
