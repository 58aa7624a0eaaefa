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

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "volumes" /* of the bundle */

/* True for what can be a volume: not the root, and nothing of the kernel's own file systems, by
 * whatever way. */
static bool is_place(const char *path)
{
	static const char *const taken[] = { "proc", "sys", "dev", NULL };
	const char *first = path + strspn(path, "/");
	cleanup_free char *top = xstrndup(first, strcspn(first, "/"));

	if (path[0] != '/' || !*first || strlen(path) >= PATH_MAX)
		return false;
	for (const char *at = first; *at; at += strspn(at, "/")) {
		size_t length = strcspn(at, "/");

		if (strncmp(at, "..", length) == 0) /* or "." */
			return false;
		at += length;
	}
	return !known_in(taken, top);
}

/* The directory of the root at a path of the container, on the host; NULL where there is none. */
static char *path_in_root(int root_fd, const char *path)
{
	char resolved[PATH_MAX];
	struct error unused;
	cleanup_fd int fd = path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, &unused);
	if (fd < 0)
		return NULL;

	cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, resolved, sizeof resolved - 1);
	return length < 0 ? NULL : xstrndup(resolved, (size_t)length);
}

/* The directory in the bundle of the next volume that the root does not have; NULL without a
 * bundle. The caller frees it. */
static char *new_directory(struct generation *g)
{
	return g->volumes_bundle
		       ? xasprintf("%s/" DIRECTORY "/%zu", g->volumes_bundle, g->volumes_new++)
		       : NULL;
}

int volumes_make(const struct generation *g, int bundle_fd, struct error *err)
{
	if (g->volumes_new > 0 && mkdirat(bundle_fd, DIRECTORY, 0711) < 0 && errno != EEXIST)
		return error_os(err, "cannot make " DIRECTORY);
	for (size_t i = 0; i < g->volumes_new; i++) {
		cleanup_free char *name = xasprintf(DIRECTORY "/%zu", i);

		if (mkdirat(bundle_fd, name, 0755) < 0 && errno != EEXIST)
			return error_os(err, "cannot make %s", name);
		if (generation_give(g, bundle_fd, name, err) < 0)
			return -1;
	}
	return 0;
}

/* Note where something is mounted. */
static void add_places(json_t *places, const json_t *mounts)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		cleanup_free char *place = mount_place(json_text(mount, "destination", ""));

		json_object_set_new(places, place, json_true());
	}
}

/* With root_fd -1, in memory. */
static json_t *volume_mount(struct generation *g, int root_fd, const char *path)
{
	cleanup_free char *there = root_fd >= 0 ? path_in_root(root_fd, path) : NULL;
	cleanup_free char *made = root_fd >= 0 && !there ? new_directory(g) : NULL;

	if (!there && !made)
		return mount_new(path, "tmpfs", "tmpfs", "nosuid,nodev,mode=755,tmpcopyup");
	return mount_new(path, "bind", there ? there : made, "rbind,rprivate,rw");
}

void volumes_apply(struct generation *g)
{
	const char *mode = g->volumes_mode ? g->volumes_mode : "ignore";
	cleanup_free char *root = generation_root(g);
	json_t *mounts = pointer_array(g->config, "/mounts"), *unused;
	json_auto_t *taken = json_object();
	const char *path;

	if (strcmp(mode, "ignore") == 0 || json_object_size(g->volumes) == 0)
		return;
	add_places(taken, mounts);
	add_places(taken, g->mounts);
	bool binds = strcmp(mode, "bind") == 0;
	cleanup_fd int root_fd = root && binds ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	json_object_foreach (g->volumes, path, unused) {
		cleanup_free char *place = mount_place(path);

		if (!is_place(path))
			log_message(LOG_LEVEL_WARN, "the image's volume \"%s\" is left out", path);
		else if (!json_object_get(taken, place))
			json_array_append_new(mounts, volume_mount(g, root_fd, path));
		json_object_set_new(taken, place, json_true());
	}
	g->mounts_added = true;
}
