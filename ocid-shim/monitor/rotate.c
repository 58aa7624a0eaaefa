/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/rotate.h"

#include "ocid-shim/monitor/log.h"
#include "ocid-shim/monitor/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* PATH.NUMBER; PATH itself for 0. */
static void add_name(struct text *text, const struct log *log, int number)
{
	text_add(text, log->path);
	if (number == 0)
		return;
	text_add(text, ".");
	text_add_number(text, number);
}

/* A new file like the one that is open. */
static int open_next(const struct log *log)
{
	struct stat status;
	int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0640);

	if (fd >= 0 && fstat(log->fd, &status) == 0 &&
	    (fchmod(fd, status.st_mode & 07777) < 0 ||
	     fchown(fd, status.st_uid, status.st_gid) < 0))
		errno = 0; /* it can be written to all the same */
	return fd;
}

void log_rotate(struct log *log)
{
	char from[PATH_SIZE] = "", to[PATH_SIZE] = "";

	log->size = 0; /* also of one that grows on: it is tried again some time */
	/* not emptied: who follows it would miss what is written where he has been already */
	if (log->files == 0 && unlinkat(AT_FDCWD, log->path, 0) < 0 && errno != ENOENT)
		return;
	for (int i = log->files - 1; i >= 0; i--) {
		add_name(&(struct text){ from, sizeof from, 0 }, log, i);
		add_name(&(struct text){ to, sizeof to, 0 }, log, i + 1);
		if (rename(from, to) < 0 && errno != ENOENT)
			return;
	}
	int fd = open_next(log);
	if (fd < 0) {
		/* nobody finds the open one, which is not to grow all the same */
		if (log->files == 0)
			(void)!ftruncate(log->fd, 0);
		return;
	}
	dup3(fd, log->fd, O_CLOEXEC);
	close(fd);
}
