/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lock.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/log.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* length 0: to the end, and beyond it. */
static int lock_part(int fd, int start, int length, enum lock_mode mode, bool wait,
		     const char *what, struct error *err)
{
	struct flock lock = {
		.l_type = mode == LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = length,
	};

	bool waits = false;

	while (fcntl(fd, waits ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0) {
		bool held = errno == EAGAIN || errno == EACCES;

		if (errno == EINTR && !cli_interrupted())
			continue;
		if (held && !wait)
			return error_set(err, ERROR_IN_USE, "%s is in use by another process",
					 what);
		if (!held || waits)
			return error_os(err, "cannot lock %s", what);
		log_message(LOG_LEVEL_INFO, "waiting for %s, which another process uses", what);
		waits = true;
	}
	return 0;
}

int lock_file(int fd, enum lock_mode mode, bool wait, const char *what, struct error *err)
{
	return lock_part(fd, 0, 0, mode, wait, what, err);
}

int lock_byte(int fd, int byte, enum lock_mode mode, bool wait, const char *what, struct error *err)
{
	return lock_part(fd, byte, 1, mode, wait, what, err);
}

/* 1 where `name` still is the file behind fd, 0 where its last holder has discarded it. */
static int still_there(int dir_fd, const char *name, int fd)
{
	struct stat by_name, by_fd;

	if (fstatat(dir_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &by_fd) < 0)
		return -1;
	return by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev;
}

int lock_open(int dir_fd, const char *name, enum lock_mode mode, bool wait, const char *what,
	      struct error *err)
{
	for (;;) {
		cleanup_fd int fd =
			openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return error_os(err, "cannot open the lock of %s", what);
		if (lock_file(fd, mode, wait, what, err) < 0)
			return -1;
		int there = still_there(dir_fd, name, fd);
		if (there < 0)
			return error_os(err, "cannot open the lock of %s", what);
		if (there)
			return steal_fd(&fd);
	}
}

int lock_take(int locks_fd, const char *kind, const char *id, enum lock_mode mode, bool wait,
	      struct error *err)
{
	cleanup_free char *name = xasprintf("%s-%s", kind, id);
	cleanup_free char *what = xasprintf("%s %s", kind, id);

	return lock_open(locks_fd, name, mode, wait, what, err);
}

void lock_release(int *fd)
{
	struct flock nothing = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int saved = errno;

	if (*fd >= 0)
		fcntl(*fd, F_OFD_SETLK, &nothing);
	errno = saved;
	cleanup_fd_p(fd);
}

void lock_discard(int locks_fd, const char *kind, const char *id)
{
	cleanup_free char *name = xasprintf("%s-%s", kind, id);

	unlinkat(locks_fd, name, 0);
}
