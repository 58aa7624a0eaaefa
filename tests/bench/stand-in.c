/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a tool that valgrind counts the instructions of. Valgrind of Debian 12 does not
 * know some system calls that the tools need and answers that there are none. What can be done by
 * others is done so here; mounts are said to have been made, as nothing but the count is wanted.
 *
 * STAND_IN_ROOT is a directory: the tool confines itself to it, which is left out, but for that it
 * gets the directory where it opens its root.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct how {
	uint64_t flags, mode, resolve;
};

static int a_descriptor(void)
{
	return (int)syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
}

long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	switch (number) {
	case SYS_openat2: {
		const struct how *how = (const struct how *)a[2];

		return next(SYS_openat, a[0], a[1], how->flags, how->mode);
	}
	case SYS_open_tree:
	case SYS_fsopen:
	case SYS_fsmount:
		return a_descriptor();
	case SYS_move_mount:
	case SYS_fsconfig:
	case SYS_mount_setattr:
	case SYS_pivot_root:
		return 0;
	default:
		return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

int fsopen(const char *name, unsigned flags)
{
	(void)name;
	(void)flags;
	return a_descriptor();
}

int fsconfig(int fd, unsigned command, const char *key, const void *value, int more)
{
	(void)fd;
	(void)command;
	(void)key;
	(void)value;
	(void)more;
	return 0;
}

int fsmount(int fd, unsigned flags, unsigned attributes)
{
	(void)fd;
	(void)flags;
	(void)attributes;
	return a_descriptor();
}

int open_tree(int dir_fd, const char *path, unsigned flags)
{
	(void)dir_fd;
	(void)path;
	(void)flags;
	return a_descriptor();
}

int move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	(void)from_fd;
	(void)from;
	(void)to_fd;
	(void)to;
	(void)flags;
	return 0;
}

int mount_setattr(int fd, const char *path, unsigned flags, struct mount_attr *attributes,
		  size_t size)
{
	(void)fd;
	(void)path;
	(void)flags;
	(void)attributes;
	(void)size;
	return 0;
}

/* ---- confinement ---- */

static const char *root(void)
{
	return getenv("STAND_IN_ROOT");
}

int open(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
	va_end(list);
	if (root() && strcmp(path, "/") == 0)
		path = root();
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data)
{
	return root() ? 0 : (int)syscall(SYS_mount, source, target, type, flags, data);
}

int umount2(const char *target, int flags)
{
	return root() ? 0 : (int)syscall(SYS_umount2, target, flags);
}

int unshare(int flags)
{
	return root() ? 0 : (int)syscall(SYS_unshare, flags);
}

int chdir(const char *path)
{
	return root() ? 0 : (int)syscall(SYS_chdir, path);
}

int fchdir(int fd)
{
	return root() ? 0 : (int)syscall(SYS_fchdir, fd);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return root() ? 0 : (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}
