/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Make `path` and everything above it, and return its absolute name. */
static char *make_top(const char *path, struct error *err)
{
	/* 0711: a container's root user in a user namespace must reach its root file system */
	if (path_make_dirs(path, 0711, err) < 0)
		return NULL;

	char *absolute = realpath(path, NULL);
	if (!absolute)
		error_os(err, "%s", path);
	return absolute;
}

/* Below /tmp, where a user without a session has it, others may have been first. */
static int check_owner(const char *runroot, struct error *err)
{
	struct stat st;

	if (stat(runroot, &st) < 0)
		return error_os(err, "%s", runroot);
	if (geteuid() != 0 && st.st_uid != geteuid())
		return error_set(err, ERROR_DENIED, "%s belongs to another user", runroot);
	return 0;
}

static int open_sub(const char *top, const char *name, mode_t mode, int *fd, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", top, name);

	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	/* mkdir() only where it is needed: it locks the directory above, which all processes share
	 */
	*fd = open(path, flags);
	if (*fd < 0 && errno == ENOENT) {
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			return error_os(err, "cannot make directory %s", path);
		*fd = open(path, flags);
	}
	return *fd < 0 ? error_os(err, "%s", path) : 0;
}

int store_open(const struct cli *cli, struct store *store, struct error *err)
{
	cleanup_store struct store s = { NULL, NULL, -1, -1, -1, -1, -1, -1, -1, -1 };

	s.root = make_top(cli->root, err);
	s.runroot = s.root ? make_top(cli->runroot, err) : NULL;
	if (!s.runroot || check_owner(s.runroot, err) < 0 ||
	    open_sub(s.root, "images", 0755, &s.images_fd, err) < 0 ||
	    open_sub(s.root, "layers", 0711, &s.layers_fd, err) < 0 ||
	    open_sub(s.root, "containers", 0711, &s.containers_fd, err) < 0 ||
	    open_sub(s.root, "tmp", 0700, &s.tmp_fd, err) < 0 ||
	    open_sub(s.runroot, "locks", 0700, &s.locks_fd, err) < 0 ||
	    open_sub(s.runroot, "mounts", 0700, &s.mounts_fd, err) < 0 ||
	    open_sub(s.runroot, "containers", 0700, &s.run_containers_fd, err) < 0 ||
	    open_sub(s.runroot, "netns", 0711, &s.netns_fd, err) < 0)
		return -1;
	*store = s;
	s = (struct store){ NULL, NULL, -1, -1, -1, -1, -1, -1, -1, -1 };
	return 0;
}

void store_close(struct store *store)
{
	const int fds[] = { store->images_fd,	      store->layers_fd,
			    store->containers_fd,     store->tmp_fd,
			    store->locks_fd,	      store->mounts_fd,
			    store->run_containers_fd, store->netns_fd };

	if (!store->root)
		return;
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		cleanup_fd_p(&fds[i]);
	free(store->root);
	free(store->runroot);
	store->root = store->runroot = NULL;
}
