/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/volumes.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int volumes_check_mode(const char *mode, struct error *err)
{
	static const char *const modes[] = { "bind", "tmpfs", "ignore", NULL };

	if (known_in(modes, mode))
		return 0;
	return error_set(err, ERROR_USAGE, "\"%s\" is not bind, tmpfs or ignore", mode);
}

/* True for what can be a volume: not the root, and nothing of the kernel's own file systems. */
static bool is_place(const char *path)
{
	static const char *const taken[] = { "/proc", "/sys", "/dev" };

	if (path[0] != '/' || !path[strspn(path, "/")] || strlen(path) >= PATH_MAX ||
	    strstr(path, "/../"))
		return false;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		size_t length = strlen(taken[i]);

		if (strncmp(path, taken[i], length) == 0 && (!path[length] || path[length] == '/'))
			return false;
	}
	return true;
}

/* The directory of the root at a path of the container, on the host; NULL where there is none. */
static char *path_in_root(int root_fd, const char *path)
{
	char resolved[PATH_MAX];
	struct error unused;
	cleanup_fd int fd = path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0, &unused);
	if (fd < 0)
		return NULL;

	cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, resolved, sizeof resolved - 1);
	return length < 0 ? NULL : xstrndup(resolved, (size_t)length);
}

void volumes_apply(struct generation *g)
{
	const char *mode = g->volumes_mode ? g->volumes_mode : "ignore";
	const char *root = json_string_value(pointer_get(g->config, "/root/path"));
	json_t *mounts = pointer_array(g->config, "/mounts"), *unused;
	const char *path;

	if (strcmp(mode, "ignore") == 0 || json_object_size(g->volumes) == 0)
		return;
	cleanup_fd int root_fd = root && strcmp(mode, "bind") == 0
					 ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)
					 : -1;
	json_object_foreach (g->volumes, path, unused) {
		cleanup_free char *source = root_fd >= 0 ? path_in_root(root_fd, path) : NULL;

		if (!is_place(path))
			log_message(LOG_LEVEL_WARN, "the image's volume \"%s\" is left out", path);
		else if (mounts_find(mounts, path) || mounts_find(g->mounts, path))
			continue;
		else if (source)
			mounts_put(mounts, mount_new(path, "bind", source, "rbind,rprivate,rw"));
		else
			mounts_put(mounts, mount_new(path, "tmpfs", "tmpfs",
						     "nosuid,nodev,mode=755,tmpcopyup"));
	}
}
