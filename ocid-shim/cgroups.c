/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/cgroups.h"

#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ocid-shim/monitor/cgroup_path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 16, PROCS_MAX = 1 << 24, TRIES = 200, PAUSE_MS = 10 };

static char *read_cgroups(const char *process)
{
	cleanup_free char *path = xasprintf("/proc/%s/cgroup", process);
	struct error ignored;
	size_t length;

	return file_read_at(AT_FDCWD, path, FILE_MAX, &length, &ignored);
}

static bool is_root(const char *line)
{
	const char *path = strrchr(line, ':');

	return path && strcmp(path, ":/") == 0;
}

/* A process that has ended is in the root of each hierarchy of v1, but still where it was in v2.
 * A runtime uses the same path in all: give the line that one. The caller frees it. */
static char *repair_line(const char *line, const char *cgroups)
{
	const char *v2 = strstr(cgroups, "0::/");

	if (!is_root(line) || !v2)
		return xstrdup(line);
	v2 += strlen("0::/");
	return xasprintf("%s%.*s", line, (int)strcspn(v2, "\n"), v2);
}

/* The line up to the container's own cgroup. The caller frees it. */
static char *own_line(const char *line, const char *path_end)
{
	const char *path = strstr(line, ":/");

	if (!path)
		return xstrdup(line);
	path++;
	return xstrndup(line, (size_t)(path - line) + cgroup_path_length(path, path_end));
}

json_t *cgroups_of(pid_t pid, const char *path_end)
{
	cleanup_free char *name = xasprintf("%d", (int)pid);
	cleanup_free char *theirs = read_cgroups(name), *ours = read_cgroups("self");
	json_t *directories = json_array();
	const char *end;

	for (const char *at = theirs; at && (end = strchr(at, '\n')); at = end + 1) {
		cleanup_free char *written = xstrndup(at, (size_t)(end - at));
		cleanup_free char *repaired = repair_line(written, theirs);
		cleanup_free char *line = own_line(repaired, path_end);
		cleanup_free char *whole = xasprintf("%s\n", line);
		cleanup_free char *directory = is_root(line) || (ours && strstr(ours, whole))
						       ? NULL
						       : cgroup_directory(line);

		if (directory && access(directory, F_OK) == 0)
			json_array_append_new(directories, json_string(directory));
	}
	return directories;
}

json_t *cgroups_named(const char *path)
{
	cleanup_free char *ours = read_cgroups("self");
	json_t *directories = json_array();
	char *rest = ours;

	for (char *line; path[0] == '/' && rest && (line = strsep(&rest, "\n"));) {
		char *old = strstr(line, ":/");
		cleanup_free char *theirs =
			old ? xasprintf("%.*s:%s", (int)(old - line), line, path) : NULL;
		cleanup_free char *directory = theirs ? cgroup_directory(theirs) : NULL;

		if (directory && access(directory, F_OK) == 0)
			json_array_append_new(directories, json_string(directory));
	}
	return directories;
}

/* Whether a file begins so. */
static bool begins(const char *path, const char *word)
{
	struct error ignored;
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, FILE_MAX, &length, &ignored);

	return text && strncmp(text, word, strlen(word)) == 0;
}

static bool is_below(const char *directory, const char *top)
{
	return strncmp(directory, top, strlen(top)) == 0;
}

/* How a hierarchy freezes: the file, how it begins then, and what ends that. */
struct freezer {
	const char *file, *frozen, *thaw;
};

/* The freezer of a directory, one of several or not; NULL: none. */
static const struct freezer *freezer_of(const char *directory, bool one_of_several)
{
	/* FREEZING is on its way */
	static const struct freezer v1 = { "freezer.state", "FR", "THAWED" };
	static const struct freezer v2 = { "cgroup.freeze", "1", "0" };

	if (directory && is_below(directory, "/sys/fs/cgroup/freezer/"))
		return &v1;
	/* v2 alone has one hierarchy */
	return directory && (!one_of_several || is_below(directory, "/sys/fs/cgroup/unified/"))
		       ? &v2
		       : NULL;
}

/* The file of the first directory from *i on that has a freezer, which the caller frees; NULL: none
 * has. *i is the number after it then. */
static char *next_freezer(const json_t *directories, size_t *i, const struct freezer **freezer)
{
	size_t count = json_array_size(directories);

	while (*i < count) {
		const char *directory = json_string_value(json_array_get(directories, (*i)++));

		*freezer = freezer_of(directory, count > 1);
		if (*freezer)
			return xasprintf("%s/%s", directory, (*freezer)->file);
	}
	return NULL;
}

bool cgroups_are_frozen(const json_t *directories)
{
	const struct freezer *freezer;
	bool frozen = false;
	char *path;

	for (size_t i = 0; !frozen && (path = next_freezer(directories, &i, &freezer)); free(path))
		frozen = begins(path, freezer->frozen);
	return frozen;
}

void cgroups_thaw(const json_t *directories)
{
	const struct freezer *freezer;
	char *path;

	for (size_t i = 0; (path = next_freezer(directories, &i, &freezer)); free(path)) {
		cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
		struct error ignored;

		if (fd >= 0)
			file_write_fd(fd, freezer->thaw, strlen(freezer->thaw), path, &ignored);
	}
}

/* A signal to each process that is listed in a cgroup. False where there is none. */
static bool signal_listed(const char *directory, int number)
{
	cleanup_free char *path = xasprintf("%s/cgroup.procs", directory);
	struct error ignored;
	size_t length;
	cleanup_free char *list = file_read_at(AT_FDCWD, path, PROCS_MAX, &length, &ignored);
	char *rest = list, *line;
	bool any = false;

	while (rest && (line = strsep(&rest, "\n"))) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid > 1)
			any = kill(pid, number) == 0 || any;
	}
	return any;
}

/* The paths of those right below it, which the container may have made. */
static void list_below(const char *directory, struct strings *paths)
{
	cleanup_strings struct strings names = { 0 };
	struct stat status;

	if (directory_names(AT_FDCWD, directory, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, names.items[i]);

		if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
			strings_add(paths, path);
	}
}

static bool signal_tree(const char *directory, int number)
{
	cleanup_strings struct strings below = { 0 };
	bool any = signal_listed(directory, number);

	list_below(directory, &below);
	for (size_t i = 0; i < below.count; i++)
		any = signal_tree(below.items[i], number) || any;
	return any;
}

bool cgroups_signal(const json_t *directories, int number)
{
	/* each hierarchy has all of them, who are to get it once */
	const char *directory = json_string_value(json_array_get(directories, 0));

	return directory && signal_tree(directory, number);
}

void cgroups_kill(const json_t *directories)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	const json_t *entry;
	size_t i;

	for (int tries = 0; tries < TRIES; tries++) {
		bool any = false;

		json_array_foreach (directories, i, entry)
			if (json_is_string(entry))
				any = signal_tree(json_string_value(entry), SIGKILL) || any;
		if (!any)
			return;
		nanosleep(&pause, NULL);
	}
}

static void remove_below(const char *directory)
{
	cleanup_strings struct strings below = { 0 };

	list_below(directory, &below);
	for (size_t i = 0; i < below.count; i++) {
		remove_below(below.items[i]);
		rmdir(below.items[i]);
	}
}

void cgroups_remove_below(const json_t *directories)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (directories, i, entry)
		if (json_is_string(entry))
			remove_below(json_string_value(entry));
}

void cgroups_remove(const json_t *directories)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	const json_t *entry;
	int tries = 0; /* for all: what holds one holds the others */
	size_t i;

	json_array_foreach (directories, i, entry) {
		const char *directory = json_string_value(entry);
		bool busy = false;

		while (directory && (busy = rmdir(directory) < 0 && errno == EBUSY) &&
		       tries++ < TRIES)
			nanosleep(&pause, NULL);
		if (busy)
			log_message(LOG_LEVEL_WARN, "%s stays: %s", directory, strerror(EBUSY));
	}
}
