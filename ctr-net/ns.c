/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process enters a namespace only to open descriptors in it (the namespace itself, a netlink
 * socket) and goes back at once. That needs no child, and plugins always run on the host's side.
 */
#include "ns.h"

#include "netlink.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OWN_NS "/proc/thread-self/ns/net"

/* A descriptor on the namespace that this process is in. */
static int open_own(struct error *err)
{
	int fd = open(OWN_NS, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "own network namespace") : fd;
}

static bool is_net_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC &&
	       ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/* In a new namespace: lo up, and a descriptor on the namespace. */
static int set_up_here(struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	cleanup_fd int fd = open_own(err);

	if (fd < 0 || netlink_open(&netlink, err) < 0 || netlink_set_up(&netlink, "lo", err) < 0)
		return -1;
	return steal_fd(&fd);
}

/* A new network namespace with lo up; this process stays where it is. */
static int make(struct error *err)
{
	cleanup_fd int home = open_own(err);

	if (home < 0)
		return -1;
	if (unshare(CLONE_NEWNET) < 0)
		return error_os(err, "cannot make a network namespace");

	cleanup_fd int fd = set_up_here(err);
	if (setns(home, CLONE_NEWNET) < 0)
		return error_os(err, "cannot return to the own network namespace");
	return steal_fd(&fd);
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
		netlink_close(netlink);
		return error_os(err, "cannot return to the own network namespace");
	}
	return status;
}

static char *pin_path(const char *runroot, const char *name)
{
	return xasprintf("%s/netns/%s", runroot, name);
}

bool ns_exists(const char *path)
{
	/* O_NONBLOCK: it may be anything, also a FIFO */
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && is_net_namespace(fd);
}

bool ns_is_pinned(const char *runroot, const char *name)
{
	cleanup_free char *path = pin_path(runroot, name);

	return ns_exists(path);
}

/* The file that is mounted upon. A mount cannot be renamed into place as a file can, so the two
 * steps show: a plain file is what a kill between them leaves, and is taken over. */
static int make_mount_point(const char *path, const char *name, struct error *err)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0444);

	if (fd < 0)
		return error_os(err, "%s", path);
	if (is_net_namespace(fd)) {
		error_set(err, ERROR_EXISTS, "network namespace \"%s\" exists already", name);
		return error_subject(err, name);
	}
	return 0;
}

int ns_pin(const char *runroot, const char *name, struct error *err)
{
	cleanup_free char *path = pin_path(runroot, name);

	if (make_mount_point(path, name, err) < 0)
		return -1;

	cleanup_fd int fd = make(err);
	cleanup_free char *source = xasprintf("/proc/thread-self/fd/%d", fd);
	int status = fd < 0 ? -1 : mount(source, path, NULL, MS_BIND, NULL);
	if (fd >= 0 && status < 0)
		error_os(err, "cannot pin a network namespace at %s", path);
	if (status < 0)
		unlink(path);
	return status;
}

int ns_unpin(const char *runroot, const char *name, struct error *err)
{
	cleanup_free char *path = pin_path(runroot, name);

	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_os(err, "cannot unmount %s", path);
	/* this also takes the pin out of other mount namespaces that copied it */
	if (unlink(path) == 0)
		return 0;
	if (errno != ENOENT)
		return error_os(err, "cannot remove %s", path);
	error_set(err, ERROR_NOT_FOUND, "no network namespace \"%s\"", name);
	error_subject(err, name);
	return error_hint(err, "see ctr-net ns list");
}

char *ns_runroot(const struct cli *cli)
{
	char *path = realpath(cli->runroot, NULL);

	return path ? path : xstrdup(cli->runroot);
}

static int by_text(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

json_t *ns_list_pinned(const char *runroot, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/netns", runroot);
	cleanup_dir DIR *dir = opendir(path);
	cleanup_strings struct strings names = { 0 };

	if (!dir && errno != ENOENT) {
		error_os(err, "%s", path);
		return NULL;
	}
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (path_is_id(entry->d_name) && ns_is_pinned(runroot, entry->d_name))
			strings_add(&names, entry->d_name);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof *names.items, by_text);

	json_t *list = json_array();
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *pin = pin_path(runroot, names.items[i]);

		json_array_append_new(
			list, json_pack("{s:s, s:s}", "name", names.items[i], "netns", pin));
	}
	return list;
}

static char *absolute(const char *path, struct error *err)
{
	char here[PATH_MAX];

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
	if (path_is_id(name))
		return pin_path(runroot, name);
	error_set(err, ERROR_USAGE, "\"%s\" cannot be the name of a network namespace", name);
	error_hint(err, "letters, digits, \"_\", \".\" and \"-\", or a path with a slash");
	return NULL;
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
	if (!is_net_namespace(fd))
		return error_set(err, ERROR_USAGE, "%s is not a network namespace", path);
	return steal_fd(&fd);
}

bool ns_is_ours(int ns_fd)
{
	struct stat theirs, ours;

	return fstat(ns_fd, &theirs) == 0 && stat(OWN_NS, &ours) == 0 &&
	       theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}
