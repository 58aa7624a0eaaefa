/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/pin.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/memory.h"
#include "lib/namespace.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *directory, *proc, *title;
	int flag;
} kinds[PIN_KINDS] = {
	[PIN_USER] = { "userns", "user", "user", CLONE_NEWUSER },
	[PIN_NET] = { "netns", "net", "network", CLONE_NEWNET },
	[PIN_IPC] = { "ipcns", "ipc", "IPC", CLONE_NEWIPC },
	[PIN_UTS] = { "utsns", "uts", "UTS", CLONE_NEWUTS },
	[PIN_PID] = { "pidns", "pid", "PID", CLONE_NEWPID },
};

int pin_flag(enum pin_kind kind)
{
	return kinds[kind].flag;
}

const char *pin_proc_name(enum pin_kind kind)
{
	return kinds[kind].proc;
}

const char *pin_key(enum pin_kind kind)
{
	return kinds[kind].directory;
}

bool pin_is_namespace(int fd, enum pin_kind kind)
{
	return namespace_is(fd, kinds[kind].flag);
}

char *pin_path(const char *runroot, enum pin_kind kind, const char *name)
{
	return xasprintf("%s/%s/%s", runroot, kinds[kind].directory, name);
}

int pin_look(const char *path, enum pin_kind kind, struct error *err)
{
	/* O_NONBLOCK: it may be anything, also a FIFO; a socket or a device has none of these */
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		return pin_is_namespace(fd, kind);
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO
		       ? 0
		       : error_os(err, "%s", path);
}

int pin_exists(const char *runroot, enum pin_kind kind, const char *name, struct error *err)
{
	cleanup_free char *path = pin_path(runroot, kind, name);

	return pin_look(path, kind, err);
}

int pin_check_free(const char *runroot, enum pin_kind kind, const char *name, struct error *err)
{
	int there = pin_exists(runroot, kind, name, err);

	if (there <= 0)
		return there;
	error_set(err, ERROR_EXISTS, "%s namespace \"%s\" exists already", kinds[kind].title, name);
	return error_subject(err, name);
}

/* The file that is mounted upon. A mount cannot be renamed into place as a file can, so the two
 * steps show: a plain file is what a kill between them leaves, and is taken over. */
static int make_mount_point(const char *runroot, enum pin_kind kind, const char *path,
			    struct error *err)
{
	cleanup_free char *directory = xasprintf("%s/%s", runroot, kinds[kind].directory);

	if (mkdir(directory, 0711) < 0 && errno != EEXIST)
		return error_os(err, "cannot make directory %s", directory);

	cleanup_fd int fd =
		open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0444);
	return fd < 0 ? error_os(err, "%s", path) : 0;
}

int pin_make(const char *runroot, enum pin_kind kind, const char *name, int ns_fd,
	     struct error *err)
{
	cleanup_free char *path = pin_path(runroot, kind, name);
	cleanup_free char *source = xasprintf("/proc/thread-self/fd/%d", ns_fd);

	if (pin_check_free(runroot, kind, name, err) < 0 ||
	    make_mount_point(runroot, kind, path, err) < 0)
		return -1;
	if (mount(source, path, NULL, MS_BIND, NULL) == 0)
		return 0;
	error_os(err, "cannot pin the %s namespace at %s", kinds[kind].title, path);
	unlink(path);
	return -1;
}

int pin_remove(const char *runroot, enum pin_kind kind, const char *name, struct error *err)
{
	cleanup_free char *path = pin_path(runroot, kind, name);

	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_os(err, "cannot unmount %s", path);
	/* this also takes the pin out of other mount namespaces that copied it */
	if (unlink(path) == 0)
		return 0;
	if (errno != ENOENT)
		return error_os(err, "cannot remove %s", path);
	error_set(err, ERROR_NOT_FOUND, "no %s namespace \"%s\"", kinds[kind].title, name);
	error_subject(err, name);
	return error_hint(err, "see ctr-net ns list");
}

/* Note the pins of one kind in an object of rows by name. */
static int list_kind(const char *runroot, enum pin_kind kind, json_t *rows, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", runroot, kinds[kind].directory);
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, path, &names) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		int there = path_is_id(name) ? pin_exists(runroot, kind, name, err) : 0;
		if (there < 0)
			return -1;
		if (!there)
			continue;
		if (!json_object_get(rows, name))
			json_object_set_new(rows, name, json_pack("{s:s}", "name", name));

		cleanup_free char *pin = pin_path(runroot, kind, name);
		json_object_set_new(json_object_get(rows, name), kinds[kind].directory,
				    json_string(pin));
	}
	return 0;
}

json_t *pin_list(const char *runroot, struct error *err)
{
	json_auto_t *rows = json_object();
	cleanup_strings struct strings names = { 0 };
	const char *name;
	json_t *row;

	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (list_kind(runroot, (enum pin_kind)kind, rows, err) < 0)
			return NULL;
	json_object_foreach (rows, name, row) {
		strings_add(&names, name);
	}
	strings_sort(&names);

	json_t *list = json_array();
	for (size_t i = 0; i < names.count; i++)
		json_array_append(list, json_object_get(rows, names.items[i]));
	return list;
}
