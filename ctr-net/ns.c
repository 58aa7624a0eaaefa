/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process enters a namespace only to open descriptors in it (the namespace itself, a netlink
 * socket) and goes back at once. That needs no child, and plugins always run on the host's side.
 */
#include "ctr-net/ns.h"

#include "ctr-net/netlink.h"
#include "ctr-net/pin.h"
#include "lib/boot.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_NS "/proc/thread-self/ns/net"

/* A descriptor on the namespace that this process is in. */
static int open_own(struct error *err)
{
	int fd = open(OWN_NS, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "own network namespace") : fd;
}

int ns_netlink(int ns_fd, struct netlink *netlink, struct error *err)
{
	cleanup_fd int home = open_own(err);

	if (home < 0)
		return -1;
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return error_os(err, "cannot enter the network namespace");

	int status = netlink_open(netlink, err);
	if (setns(home, CLONE_NEWNET) < 0) {
		error_os(err, "cannot return to the own network namespace");
		netlink_close(netlink);
		return err->kind == ERROR_DENIED ? error_hint(err, NEEDS_ROOT) : -1;
	}
	return status;
}

char *ns_runroot(const struct cli *cli)
{
	char *path = realpath(cli->runroot, NULL);

	return path ? path : xstrdup(cli->runroot);
}

/* Without links in all but the last part, which may be one, as in /proc/PID/ns/net. */
static char *absolute(const char *path, struct error *err)
{
	char here[PATH_MAX];
	const char *last = strrchr(path, '/') + 1;
	cleanup_free char *directory = xstrndup(path, (size_t)(last - path));
	cleanup_free char *real = realpath(directory, NULL);

	if (real)
		return xasprintf("%s/%s", real[1] ? real : "", last);
	if (path[0] == '/')
		return xstrdup(path);
	if (!getcwd(here, sizeof here)) {
		error_os(err, "current directory");
		return NULL;
	}
	return xasprintf("%s/%s", here, path);
}

char *ns_path(const char *runroot, const char *name, struct error *err)
{
	json_auto_t *text = json_string(name);

	if (!text) {
		error_set(err, ERROR_USAGE, "the path of the network namespace is not UTF-8 text");
		return NULL;
	}
	if (strchr(name, '/'))
		return absolute(name, err);
	if (ns_check_name(name, err) == 0)
		return pin_path(runroot, PIN_NET, name);
	error_hint(err, "letters, digits, \"_\", \".\" and \"-\", or a path with a slash");
	return NULL;
}

int ns_check_name(const char *name, struct error *err)
{
	if (path_is_id(name))
		return 0;
	error_set(err, ERROR_USAGE, "\"%s\" cannot be the name of a namespace", name);
	return error_hint(err, "letters, digits, \"_\", \".\" and \"-\"");
}

int ns_open(const char *path, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		error_set(err, ERROR_NOT_FOUND, "no network namespace at %s", path);
		return error_hint(err, "see ctr-net ns list; make one with ctr-net ns create");
	}
	if (fd < 0)
		return error_os(err, "%s", path);
	if (!pin_is_namespace(fd, PIN_NET))
		return error_set(err, ERROR_USAGE, "%s is not a network namespace", path);
	return steal_fd(&fd);
}

int ns_check_not_ours(const char *path, struct error *err)
{
	cleanup_fd int fd = ns_open(path, err);
	struct stat theirs, ours;

	if (fd < 0)
		return -1;
	if (fstat(fd, &theirs) < 0 || stat(OWN_NS, &ours) < 0)
		return error_os(err, "%s", path);
	if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		return error_set(
			err, ERROR_USAGE,
			"%s is the host's own network namespace, which plugins would break", path);
	return 0;
}

/* The kernel counts the namespaces of a boot (Linux 5.14). */
char *ns_identity(int ns_fd, const struct netlink *netlink)
{
	struct error ignored;
	cleanup_free char *boot = boot_id(&ignored);
	uint64_t number;
	socklen_t size = sizeof number;
	struct stat st;

	if (!boot)
		return NULL;
	if (getsockopt(netlink_fd(netlink), SOL_SOCKET, SO_NETNS_COOKIE, &number, &size) == 0)
		return xasprintf("%s %" PRIu64, boot, number);
	return fstat(ns_fd, &st) < 0 ? NULL : xasprintf("%s i%ju", boot, (uintmax_t)st.st_ino);
}

int ns_look(const char *path, const char *identity)
{
	cleanup_netlink struct netlink netlink = { 0 };
	struct error ignored;
	int there = pin_look(path, PIN_NET, &ignored);

	if (there != 1 || !identity)
		return there;
	cleanup_fd int fd = ns_open(path, &ignored);
	if (fd < 0 || ns_netlink(fd, &netlink, &ignored) < 0)
		return -1;
	cleanup_free char *now = ns_identity(fd, &netlink);
	return now ? strcmp(now, identity) == 0 : -1;
}
