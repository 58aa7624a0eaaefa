/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel counts, in the memory cgroup, how many of its processes the OOM killer has ended. It
 * tells of changes in v2 by the file itself, and in v1 by an eventfd, before it has counted.
 *
 * systemd removes the cgroup of a scope as soon as nothing is in it, on a busy machine before we
 * have read the count. The slice that the scope was in has counted the same, beside what it counted
 * for its other scopes.
 */
#include "ocid-shim/monitor/cgroup_path.h"
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	FILE_SIZE = 4096,
	PATH_SIZE = 4096,
	COUNT_MS = 100 /* from the notice to the count, and more */
};

#define V1     "/sys/fs/cgroup/memory"
#define V2     "/sys/fs/cgroup"
#define COUNTS "/memory.events"

/* Read the beginning of a file as text. False where it cannot be read. */
static bool read_text(int fd, char text[static FILE_SIZE])
{
	ssize_t length = pread(fd, text, FILE_SIZE - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Whether a line of /proc/PID/cgroup, `N:CONTROLLER,…:PATH`, is that of the controller ("" for
 * cgroup v2); *path is its third field then. */
static bool is_hierarchy(const char *line, const char *controller, const char **path)
{
	size_t length = strlen(controller);
	const char *at = line + strcspn(line, ":\n");

	while (*at == ':' || *at == ',') {
		at++;
		if (strncmp(at, controller, length) == 0 &&
		    (at[length] == ':' || at[length] == ',')) {
			*path = strchr(at, ':');
			*path = *path ? *path + 1 : "/";
			return true;
		}
		at += strcspn(at, ",:\n");
		if (*at == ':')
			break;
	}
	return false;
}

/* The cgroup's path in the hierarchy of the controller, up to the end of its line; NULL where there
 * is no such hierarchy. */
static const char *find_path(const char *cgroups, const char *controller)
{
	const char *path;

	for (const char *line = cgroups; line && *line;) {
		if (is_hierarchy(line, controller, &path))
			return path;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* Open `TOP/PATH/FILE`. */
static int open_file(const char *top, const char *path, size_t length, const char *file, int flags)
{
	char name[PATH_SIZE];
	struct text text = { name, sizeof name, 0 };

	text_add(&text, top);
	text_add_bytes(&text, path, length);
	text_add(&text, file);
	return open(name, flags | O_CLOEXEC);
}

/* Open a file of the container's cgroup in the hierarchy of v1. */
static int open_v1(const struct monitor *monitor, const char *cgroups, const char *file, int flags)
{
	const char *path = find_path(cgroups, "memory");

	if (!path)
		return -1;
	/* a process that has ended is still in its cgroup of v2, but in no other */
	const char *other = strncmp(path, "/\n", 2) == 0 ? find_path(cgroups, "") : NULL;
	path = other ? other : path;
	return open_file(V1, path, cgroup_path_length(path, monitor->cgroup_end), file, flags);
}

/* The slice that the container's scope is in: how much of the path; 0 where it is in no scope. */
static size_t slice_length(const struct monitor *monitor, const char *path)
{
	const char *scope =
		monitor->cgroup_end[0] == '-' ? strstr(path, monitor->cgroup_end) : NULL;

	while (scope && scope > path && *scope != '/')
		scope--;
	return scope ? (size_t)(scope - path) : 0;
}

/* An eventfd that v1 writes to; -1 where that cannot be. */
static int register_event(const struct monitor *monitor, const char *cgroups)
{
	char words[32];
	struct text text = { words, sizeof words, 0 };
	int control = open_v1(monitor, cgroups, "/cgroup.event_control", O_WRONLY);
	int event = control < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	text_add_number(&text, event);
	text_add(&text, " ");
	text_add_number(&text, monitor->oom_fd);
	if (event >= 0 && write(control, words, text.length) < 0) {
		close(event);
		event = -1;
	}
	if (control >= 0)
		close(control);
	return event;
}

static void watch_v2(struct monitor *monitor, const char *cgroups)
{
	const char *path = find_path(cgroups, "");

	if (!path)
		return;
	monitor->oom_fd = open_file(V2, path, cgroup_path_length(path, monitor->cgroup_end), COUNTS,
				    O_RDONLY);
	if (monitor->oom_fd < 0)
		return;
	events_watch(monitor, monitor->oom_fd, EVENT_OOM);

	size_t length = slice_length(monitor, path);
	monitor->oom_slice_fd = length ? open_file(V2, path, length, COUNTS, O_RDONLY) : -1;
	if (monitor->oom_slice_fd >= 0)
		events_watch(monitor, monitor->oom_slice_fd, EVENT_OOM);
	oom_check(monitor);
}

static void watch(struct monitor *monitor, const char *cgroups)
{
	monitor->oom_fd = open_v1(monitor, cgroups, "/memory.oom_control", O_RDONLY);
	if (monitor->oom_fd < 0) {
		watch_v2(monitor, cgroups);
		return;
	}
	monitor->oom_event_fd = register_event(monitor, cgroups);
	if (monitor->oom_event_fd >= 0)
		events_watch(monitor, monitor->oom_event_fd, EVENT_OOM);
}

void oom_watch(struct monitor *monitor)
{
	char name[64], cgroups[FILE_SIZE];
	struct text text = { name, sizeof name, 0 };

	text_add(&text, "/proc/");
	text_add_number(&text, monitor->init);
	text_add(&text, "/cgroup");
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read_text(fd, cgroups))
		watch(monitor, cgroups);
	if (fd >= 0)
		close(fd);
}

/* How many the cgroup has counted, also before the container. */
static long long count_kills(const char *counts)
{
	static const char key[] = "oom_kill ";
	const char *digit = strstr(counts, key);
	long long count = 0;

	for (digit = digit ? digit + sizeof key - 1 : ""; *digit >= '0' && *digit <= '9'; digit++)
		count = count * 10 + (*digit - '0');
	return count;
}

static long long read_kills(int fd)
{
	char counts[FILE_SIZE];

	return fd >= 0 && read_text(fd, counts) ? count_kills(counts) : 0;
}

static void stop_watching(const struct monitor *monitor, int *fd)
{
	if (*fd < 0)
		return;
	events_stop_watching(monitor, *fd);
	close(*fd);
	*fd = -1;
}

/* Whether a process of the container was killed. The slice is looked at before: what it has counted
 * more while the container's own count is still there was in other scopes. */
static bool has_kills(struct monitor *monitor)
{
	char counts[FILE_SIZE];
	long long of_slice = read_kills(monitor->oom_slice_fd);

	if (read_text(monitor->oom_fd, counts)) {
		monitor->oom_slice_kills = of_slice;
		return count_kills(counts) > monitor->oom_kills_before;
	}
	/* the cgroup is gone: its file would tell of that for ever */
	bool more = read_kills(monitor->oom_slice_fd) > monitor->oom_slice_kills;
	stop_watching(monitor, &monitor->oom_fd);
	stop_watching(monitor, &monitor->oom_slice_fd);
	return more;
}

void oom_hear(struct monitor *monitor)
{
	uint64_t count;

	if (monitor->oom_event_fd >= 0 &&
	    read(monitor->oom_event_fd, &count, sizeof count) == sizeof count)
		monitor->oom_check = process_clock() + COUNT_MS;
	oom_check(monitor);
}

void oom_check(struct monitor *monitor)
{
	if (monitor->oom_check && process_clock() >= monitor->oom_check)
		monitor->oom_check = 0;
	/* also where it is known: in v2 a change is told of until the file is read */
	if (monitor->oom_fd >= 0 && has_kills(monitor) && !monitor->oom_killed) {
		monitor->oom_killed = true;
		container_record_oom(monitor);
	}
}
