/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/partial.h"

#include "lib/cleanup.h"
#include "lib/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX ".partial."

bool partial_is_name(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static void fill_name(const char *digest, char name[static PARTIAL_NAME_SIZE])
{
	snprintf(name, PARTIAL_NAME_SIZE, PREFIX "%s", digest);
	*strchr(name, ':') = '.';
}

int partial_open(int dir_fd, const char *digest, char name[static PARTIAL_NAME_SIZE])
{
	struct error ignored; /* what cannot be kept is fetched as a whole */

	fill_name(digest, name);
	return lock_open(dir_fd, name, LOCK_EXCLUSIVE, false, name, &ignored);
}

int partial_follow(int dir_fd, const char *digest)
{
	char name[PARTIAL_NAME_SIZE];

	fill_name(digest, name);
	return openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

bool partial_expire(int dir_fd, const char *name, int seconds, bool dry_run)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct error ignored;
	struct stat st;

	/* the lock first: who has it may be about to write */
	if (fd < 0 || lock_file(fd, LOCK_EXCLUSIVE, false, name, &ignored) < 0 ||
	    fstat(fd, &st) < 0 || time(NULL) - st.st_mtime < seconds)
		return false;
	return dry_run || unlinkat(dir_fd, name, 0) == 0;
}
