/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/sysctl.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A whole key, or, ending in a slash, all below it. */
static const struct {
	const char *path;
	enum pin_kind kind;
} namespaced[] = {
	{ "net/", PIN_NET },
	{ "fs/mqueue/", PIN_IPC },
	{ "kernel/msgmax", PIN_IPC },
	{ "kernel/msgmnb", PIN_IPC },
	{ "kernel/msgmni", PIN_IPC },
	{ "kernel/sem", PIN_IPC },
	{ "kernel/shm_rmid_forced", PIN_IPC },
	{ "kernel/shmall", PIN_IPC },
	{ "kernel/shmmax", PIN_IPC },
	{ "kernel/shmmni", PIN_IPC },
	{ "kernel/domainname", PIN_UTS },
};

/* The path below /proc/sys, or NULL; the caller frees it. As sysctl(8) has it, the first separator
 * tells the form: with dots for separators a slash stands for a dot ("net.ipv4.conf.eth0/7.mtu").
 */
static char *path_of(const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	cleanup_free char *path =
		equals ? xstrndup(assignment, (size_t)(equals - assignment)) : NULL;
	size_t first = path ? strcspn(path, "./") : 0;

	if (!path || first == 0)
		return NULL;

	bool dotted = path[first] == '.';
	for (char *c = path; *c; c++) {
		if (!isgraph((unsigned char)*c))
			return NULL;
		if (dotted && (*c == '.' || *c == '/'))
			*c = *c == '.' ? '/' : '.';
	}
	return path_descends(path) ? steal_ptr(&path) : NULL;
}

static bool matches(const char *path, const char *pattern)
{
	size_t length = strlen(pattern);

	return pattern[length - 1] == '/' ? strncmp(path, pattern, length) == 0
					  : strcmp(path, pattern) == 0;
}

int sysctl_kind(const char *assignment, struct error *err)
{
	cleanup_free char *path = path_of(assignment);

	if (!path)
		return error_set(err, ERROR_USAGE, "sysctl %s: not KEY=VALUE", assignment);
	for (size_t i = 0; i < sizeof namespaced / sizeof *namespaced; i++)
		if (matches(path, namespaced[i].path))
			return (int)namespaced[i].kind;
	error_set(err, ERROR_USAGE, "sysctl %s is not one of a namespace's own", assignment);
	if (strcmp(path, "kernel/hostname") == 0)
		return error_hint(err, "--hostname sets it");
	return -1;
}

static int set(int sys_fd, const char *assignment, struct error *err)
{
	cleanup_free char *path = path_of(assignment);
	const char *value = strchr(assignment, '=') + 1;
	cleanup_fd int fd = path_open_beneath(sys_fd, path, O_WRONLY, err);

	if (fd < 0)
		return error_prefix(err, "sysctl %s", assignment);
	if (write(fd, value, strlen(value)) >= 0)
		return 0;
	if (errno == EINVAL || errno == ERANGE)
		return error_set(err, ERROR_USAGE, "sysctl %s: the kernel refuses the value",
				 assignment);
	return error_os(err, "sysctl %s", assignment);
}

int sysctl_set(const struct strings *assignments, struct error *err)
{
	if (!assignments || assignments->count == 0)
		return 0;

	cleanup_fd int sys_fd = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sys_fd < 0)
		return error_os(err, "/proc/sys");
	for (size_t i = 0; i < assignments->count; i++)
		if (set(sys_fd, assignments->items[i], err) < 0)
			return -1;
	return 0;
}
