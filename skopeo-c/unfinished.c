/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/unfinished.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/partial.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_abandoned(int dir_fd, const char *name)
{
	struct error ignored;
	cleanup_fd int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && lock_file(fd, LOCK_EXCLUSIVE, false, name, &ignored) == 0;
}

void unfinished_sweep(int dir_fd)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(dir_fd, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (partial_is_name(name))
			partial_expire(dir_fd, name, PARTIAL_KEPT_SECONDS, false);
		else if (strncmp(name, UNFINISHED_PREFIX, strlen(UNFINISHED_PREFIX)) == 0 &&
			 is_abandoned(dir_fd, name))
			unlinkat(dir_fd, name, 0);
	}
}
