/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/path.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/memory.h"
#include "lib/random.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_resolved(int dir_fd, const char *path, int flags, __u64 resolve, struct error *err)
{
	struct open_how how = { .flags = (__u64)(unsigned)(flags | O_CLOEXEC), .resolve = resolve };
	long fd;

	/* EAGAIN: a rename elsewhere raced with "..", and the kernel could not tell that the walk
	 * stayed inside (openat2(2)); bounded, since an attacker may keep renaming */
	for (int tries = 0; tries < 64; tries++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && (errno != EINTR || cli_interrupted()))
			break;
	}
	if (errno == ENOSYS) {
		error_set(err, ERROR_UNSUPPORTED,
			  "this kernel has no openat2: Linux 5.9 or later is needed");
		return -1;
	}
	return error_os(err, "%s", path);
}

int path_open_beneath(int dir_fd, const char *path, int flags, struct error *err)
{
	return open_resolved(dir_fd, path, flags,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, err);
}

int path_open_directory(int dir_fd, const char *name, struct error *err)
{
	return open_resolved(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_XDEV,
			     err);
}

int path_open_in_root(int root_fd, const char *path, int flags, struct error *err)
{
	return open_resolved(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, err);
}

bool path_is_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > 255 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c == '/' || *c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

bool path_descends(const char *path)
{
	for (const char *at = path;;) {
		size_t length = strcspn(at, "/");
		cleanup_free char *component = xstrndup(at, length);

		if (!path_is_name(component))
			return false;
		if (!at[length])
			return true;
		at += length + 1;
	}
}

bool path_is_id(const char *id)
{
	if (!isalnum((unsigned char)id[0]) || strlen(id) > 128)
		return false;
	for (const char *c = id; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return true;
}

int path_make_dirs(const char *path, mode_t mode, struct error *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;

	cleanup_free char *partial = xstrdup(path);
	for (char *c = partial; *c; c++) {
		if (*c != '/' || c == partial)
			continue;
		*c = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return error_os(err, "cannot make directory %s", partial);
		*c = '/';
	}
	if (mkdir(partial, mode) < 0 && errno != EEXIST)
		return error_os(err, "cannot make directory %s", partial);
	return 0;
}

/* One directory on the way down in path_remove_tree(). */
struct level {
	DIR *dir;
	char *name; /* in the level above */
};

enum { DEPTH_MAX = 64, REWINDS_MAX = 1 << 20 };

struct walk {
	struct level *levels;
	size_t count;
	int rewinds;
};

static void walk_free(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		closedir(walk->levels[i].dir);
		free(walk->levels[i].name);
	}
	free(walk->levels);
}

/* Go down into directory `name` of parent_fd, unless another process has removed it by now.
 * Directories that lack permissions are given them: a layer may hold some with mode 0. */
static int walk_enter(struct walk *walk, int parent_fd, const char *name, struct error *err)
{
	struct error why;
	cleanup_fd int fd = path_open_directory(parent_fd, name, &why);

	if (fd < 0 && why.os == EACCES && fchmodat(parent_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = path_open_directory(parent_fd, name, &why);
	if (fd < 0 && why.os == ENOENT)
		return 0;
	if (fd < 0 && why.os == EXDEV)
		return error_set(err, ERROR_IN_USE, "cannot remove %s: something is mounted on it",
				 name);
	if (fd < 0) {
		/* a file, which was refused to us */
		errno = why.os == ENOTDIR ? EPERM : why.os;
		return error_os(err, "cannot remove %s", name);
	}

	DIR *dir = fdopendir(fd);
	if (!dir)
		return error_os(err, "cannot remove %s", name);
	steal_fd(&fd);
	walk->levels = xgrow(walk->levels, walk->count, sizeof *walk->levels);
	walk->levels[walk->count++] = (struct level){ dir, xstrdup(name) };
	return 0;
}

/* Move a directory that lies too deep up to the first level, so that a hostile tree of any depth
 * is removed with few descriptors. */
static int walk_lift(struct walk *walk, int fd, const char *name, struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	if (renameat(fd, name, dirfd(walk->levels[0].dir), unique) < 0)
		return error_os(err, "cannot remove %s", name);
	return 0;
}

/* Take the flags from a file or directory that keep even root from removing it, or what is in it:
 * containers may have the capability for that. */
static bool walk_unprotect(int dir_fd, const char *name)
{
	struct stat st;
	int flags;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return false;
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ||
	    !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* unlinkat(2), also of what is protected. */
static int walk_unlink(int fd, const char *name, int flags)
{
	if (unlinkat(fd, name, flags) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
	bool of_directory = walk_unprotect(fd, "."), of_entry = walk_unprotect(fd, name);
	if (of_directory || of_entry)
		return unlinkat(fd, name, flags);
	errno = EPERM;
	return -1;
}

/* Remove one entry of the deepest level, or enter it if it is a directory with something in it. */
static int walk_entry(struct walk *walk, const struct dirent *entry, struct error *err)
{
	int fd = dirfd(walk->levels[walk->count - 1].dir);
	const char *name = entry->d_name;

	if (walk_unlink(fd, name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0) == 0 ||
	    errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY && errno != EBUSY)
		return error_os(err, "cannot remove %s", name);
	if (walk->count >= DEPTH_MAX)
		return walk_lift(walk, fd, name, err);
	return walk_enter(walk, fd, name, err);
}

/* The deepest level was read to its end: remove it from the one above (or from top_fd). */
static int walk_leave(struct walk *walk, int top_fd, struct error *err)
{
	struct level *level = &walk->levels[walk->count - 1];
	int parent_fd = walk->count > 1 ? dirfd(walk->levels[walk->count - 2].dir) : top_fd;

	if (unlinkat(parent_fd, level->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		if (errno != ENOTEMPTY || walk->rewinds++ >= REWINDS_MAX)
			return error_os(err, "cannot remove %s", level->name);
		rewinddir(level->dir); /* what was lifted here, or a name readdir() passed over */
		return 0;
	}
	closedir(level->dir);
	free(level->name);
	walk->count--;
	return 0;
}

int path_remove_tree(int dir_fd, const char *name, struct error *err)
{
	__attribute__((cleanup(walk_free))) struct walk walk = { 0 };

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return error_os(err, "cannot remove %s", name);
	if (walk_enter(&walk, dir_fd, name, err) < 0)
		return -1;
	while (walk.count > 0) {
		const struct dirent *entry = directory_next(walk.levels[walk.count - 1].dir);

		if (!entry && errno)
			return error_os(err, "cannot read a directory of %s", name);
		if (entry ? walk_entry(&walk, entry, err) < 0 : walk_leave(&walk, dir_fd, err) < 0)
			return -1;
	}
	return 0;
}
