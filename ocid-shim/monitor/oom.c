/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel counts, in the memory cgroup, how many of its processes the OOM killer has ended. */
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_SIZE = 4096, PATH_SIZE = 4096 };

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

/* Open `TOP/PATH-OF-THE-CGROUP/FILE` for the hierarchy of the controller. */
static int open_in(const char *cgroups, const char *controller, const char *top, const char *file)
{
	char name[PATH_SIZE];
	struct text text = { name, sizeof name, 0 };
	const char *path;

	for (const char *line = cgroups; line && *line;) {
		if (is_hierarchy(line, controller, &path)) {
			text_add(&text, top);
			text_add_line(&text, path);
			text_add(&text, file);
			return open(name, O_RDONLY | O_CLOEXEC);
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return -1;
}

int oom_watch(pid_t init)
{
	char name[64], cgroups[FILE_SIZE];
	struct text text = { name, sizeof name, 0 };

	text_add(&text, "/proc/");
	text_add_number(&text, init);
	text_add(&text, "/cgroup");
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && read_text(fd, cgroups);
	if (fd >= 0)
		close(fd);
	if (!known)
		return -1;
	fd = open_in(cgroups, "memory", "/sys/fs/cgroup/memory", "/memory.oom_control");
	return fd >= 0 ? fd : open_in(cgroups, "", "/sys/fs/cgroup", "/memory.events");
}

bool oom_happened(int fd)
{
	char text[FILE_SIZE];
	const char *count = fd >= 0 && read_text(fd, text) ? strstr(text, "oom_kill ") : NULL;

	return count && count[sizeof "oom_kill " - 1] != '0';
}
