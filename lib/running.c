/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/running.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int running_open(int dir_fd)
{
	return openat(dir_fd, "shim.pid", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

bool running_has_monitor(int dir_fd)
{
	/* only asked: a lock of ours, however short, could be in somebody's way */
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = RUNNING_MONITOR, .l_len = 1
	};
	cleanup_fd int fd = running_open(dir_fd);

	if (fd < 0)
		return errno != ENOENT;
	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}
