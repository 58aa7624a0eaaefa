/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/listener.h"

#include "lib/cleanup.h"
#include "lib/lock.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_KIND  "listen"
#define NEW_SUFFIX ".new"

static int fill_address(const char *path, const char *suffix, struct sockaddr_un *address,
			struct error *err)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) + sizeof NEW_SUFFIX > sizeof address->sun_path)
		return error_set(err, ERROR_USAGE, "%s: a socket's path has at most %zu bytes",
				 path, sizeof address->sun_path - sizeof NEW_SUFFIX);
	snprintf(address->sun_path, sizeof address->sun_path, "%s%s", path, suffix);
	return 0;
}

static int unix_socket(struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? error_os(err, "socket") : fd;
}

/* Whether what is at `path` may be replaced: nothing, or the socket of a server that is gone. The
 * lock keeps other dispatchers away, but other programs listen without it. */
static int check_stale(const char *path, struct error *err)
{
	struct sockaddr_un address;
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, ERROR_EXISTS, "%s is there and is not a socket", path);
	if (fill_address(path, "", &address, err) < 0)
		return -1;

	cleanup_fd int fd = unix_socket(err);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN)
		return error_set(err, ERROR_IN_USE, "another server listens at %s", path);
	return errno == ECONNREFUSED ? 0 : error_os(err, "%s", path);
}

/* The socket appears under its name when it already listens, with its mode. */
static int listen_at(const char *path, struct error *err)
{
	struct sockaddr_un address;

	if (fill_address(path, NEW_SUFFIX, &address, err) < 0)
		return -1;

	cleanup_fd int fd = unix_socket(err);
	if (fd < 0)
		return -1;
	unlink(address.sun_path);
	mode_t mask = umask(0177);
	int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound < 0)
		return error_os(err, "cannot listen at %s", path);
	if (listen(fd, SOMAXCONN) < 0 || rename(address.sun_path, path) < 0) {
		error_os(err, "cannot listen at %s", path);
		unlink(address.sun_path);
		return -1;
	}
	return steal_fd(&fd);
}

static int take_lock(const char *path, struct listener *listener, struct error *err)
{
	cleanup_free char *name = xasprintf("%s-%s", LOCK_KIND, listener->name);

	listener->lock_fd = lock_open(listener->dir_fd, name, LOCK_EXCLUSIVE, false, path, err);
	if (listener->lock_fd < 0 && err->kind == ERROR_IN_USE)
		return error_set(err, ERROR_IN_USE, "another ocid-dispatch listens at %s", path);
	return listener->lock_fd < 0 ? -1 : 0;
}

int listener_open(const char *path, struct listener *listener, struct error *err)
{
	cleanup_free char *for_dir = xstrdup(path), *for_name = xstrdup(path);
	struct listener made = { -1, -1, -1, xstrdup(basename(for_name)) };
	const char *directory = dirname(for_dir);

	made.dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (made.dir_fd < 0) {
		error_os(err, "%s", directory);
		free(made.name);
		return -1;
	}
	if (take_lock(path, &made, err) < 0 || check_stale(path, err) < 0 ||
	    (made.fd = listen_at(path, err)) < 0) {
		if (made.lock_fd >= 0)
			close(made.lock_fd);
		close(made.dir_fd);
		free(made.name);
		return -1;
	}
	*listener = made;
	return 0;
}

void listener_stop(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	unlinkat(listener->dir_fd, listener->name, 0);
	close(listener->fd);
	listener->fd = -1;
}

void listener_close(struct listener *listener)
{
	listener_stop(listener);
	lock_discard(listener->dir_fd, LOCK_KIND, listener->name);
	close(listener->lock_fd);
	close(listener->dir_fd);
	free(listener->name);
}
