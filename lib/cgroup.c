/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cgroup.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 16 };

bool cgroup_limits_swap(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ||
	       access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
}

char *cgroup_directory(const char *line)
{
	const char *controllers = strchr(line, ':');
	const char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path || path[1] != '/' || strstr(path, "/.."))
		return NULL;

	int length = (int)(path - controllers - 1);
	if (length == 0)
		return xasprintf("/sys/fs/cgroup%s%s",
				 access("/sys/fs/cgroup/unified", F_OK) == 0 ? "/unified" : "",
				 path + 1);
	controllers++;
	if (strncmp(controllers, "name=", 5) == 0) {
		controllers += 5;
		length -= 5;
	}
	return xasprintf("/sys/fs/cgroup/%.*s%s", length, controllers, path + 1);
}

static void *move_to_where_we_are(void *nothing)
{
	struct error ignored;
	size_t length;
	cleanup_free char *ours =
		file_read_at(AT_FDCWD, "/proc/self/cgroup", FILE_MAX, &length, &ignored);
	char *rest = ours, *line;

	while (rest && (line = strsep(&rest, "\n")) && *line) {
		cleanup_free char *directory = cgroup_directory(line);
		cleanup_free char *path =
			directory ? xasprintf("%s/cgroup.procs", directory) : NULL;
		cleanup_fd int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

		/* the writer itself */
		if (fd >= 0 && write(fd, "0", 1) == 1)
			break;
	}
	return nothing;
}

void cgroup_expect_move(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, move_to_where_we_are, NULL) == 0)
		pthread_detach(thread);
}
