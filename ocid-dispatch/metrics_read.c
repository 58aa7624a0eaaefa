/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "ocid-dispatch/metrics.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup/"

enum { FILE_MAX = 1 << 20 };

/* The directory of a controller ("" is that of v2) among the cgroups; NULL where it is not there.
 * Borrowed. With v1 a controller may share its hierarchy with others. */
static const char *find_directory(const json_t *cgroups, const char *controller)
{
	const json_t *item;
	size_t i, length = strlen(controller);

	json_array_foreach (cgroups, i, item) {
		const char *path = json_string_value(item);
		const char *name = path + strlen(CGROUPS);

		if (strncmp(path, CGROUPS, strlen(CGROUPS)) != 0)
			continue;
		if (!*controller && json_array_size(cgroups) == 1)
			return path;
		for (const char *at = name; *controller && at && *at && *at != '/';) {
			size_t word = strcspn(at, ",/");

			if (word == length && strncmp(at, controller, length) == 0)
				return path;
			at = at[word] == ',' ? at + word + 1 : NULL;
		}
	}
	return NULL;
}

static char *read_file(const char *directory, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	struct error ignored;
	size_t length;

	return file_read_at(AT_FDCWD, path, FILE_MAX, &length, &ignored);
}

/* With v1 and where that has the file; else with v2. */
static const struct metric_source *choose_source(const json_t *cgroups, const struct metric *metric,
						 const char **directory)
{
	const struct metric_source *source = &metric->v1;

	*directory = source->file ? find_directory(cgroups, source->controller) : NULL;
	if (*directory)
		return source;
	source = &metric->v2;
	*directory = source->file ? find_directory(cgroups, "") : NULL;
	return *directory ? source : NULL;
}

/* The number behind `key` at the beginning of a line: "key 5", or the total of "some … total=5". */
static bool find_number(const char *text, const char *key, uint64_t *value)
{
	size_t length = key ? strlen(key) : 0;
	char *end;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (key && (strncmp(line, key, length) != 0 || line[length] != ' '))
			continue;
		const char *total = key ? strstr(line, " total=") : NULL;
		const char *number = total ? total + strlen(" total=") : line + length;

		*value = strtoull(number, &end, 10);
		if (end == number) /* "max": no limit */
			*value = 0;
		return true;
	}
	return false;
}

bool metric_read(const json_t *cgroups, const struct metric *metric, uint64_t *value)
{
	const char *directory;
	const struct metric_source *source = choose_source(cgroups, metric, &directory);
	cleanup_free char *text = source ? read_file(directory, source->file) : NULL;

	if (!text || !find_number(text, source->key, value))
		return false;
	*value /= source->scale;
	return true;
}

/* "MAJOR:MINOR OPERATION N" of v1. */
static void put_v1(char *line, const struct metric *metric,
		   void (*put)(void *, const char *, const char *, uint64_t), void *to)
{
	char *rest = line;
	const char *device = strsep(&rest, " "), *operation = strsep(&rest, " ");

	if (!rest) /* the last line is "Total N" */
		return;
	uint64_t value = strtoull(rest, NULL, 10);
	if (metric->operation[0]
		    ? strcmp(operation, metric->operation[0]) == 0
		    : strcmp(operation, "Read") == 0 || strcmp(operation, "Write") == 0)
		put(to, device, operation, value);
}

/* "MAJOR:MINOR rbytes=N wbytes=N rios=N …" of v2. */
static void put_v2(char *line, const struct metric *metric,
		   void (*put)(void *, const char *, const char *, uint64_t), void *to)
{
	char *rest = line;
	const char *device = strsep(&rest, " ");

	while (rest) {
		char *word = strsep(&rest, " "), *value = word;
		const char *key = strsep(&value, "=");
		bool bytes = strcmp(key, "rbytes") == 0 || strcmp(key, "wbytes") == 0;

		if (value &&
		    (metric->operation[1] ? strcmp(key, metric->operation[1]) == 0 : bytes))
			put(to, device, *key == 'r' ? "Read" : "Write", strtoull(value, NULL, 10));
	}
}

void metric_read_devices(const json_t *cgroups, const struct metric *metric,
			 void (*put)(void *to, const char *device, const char *operation,
				     uint64_t value),
			 void *to)
{
	const char *directory;
	const struct metric_source *source = choose_source(cgroups, metric, &directory);
	cleanup_free char *text = source ? read_file(directory, source->file) : NULL;
	char *rest = text;

	while (rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (*source->controller)
			put_v1(line, metric, put, to);
		else
			put_v2(line, metric, put, to);
	}
}

/* ---- processes ---- */

static void count_descriptors(const char *pid, struct metric_processes *processes)
{
	cleanup_free char *path = xasprintf("/proc/%s/fd", pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_strings struct strings numbers = { 0 };
	char target[PATH_MAX];

	if (fd < 0 || directory_names(fd, ".", &numbers) < 0)
		return;
	for (size_t i = 0; i < numbers.count; i++) {
		if (readlinkat(fd, numbers.items[i], target, sizeof target) < 0)
			continue;
		processes->descriptors++;
		if (strncmp(target, "socket:", strlen("socket:")) == 0)
			processes->sockets++;
	}
}

static void count_process(const char *pid, struct metric_processes *processes)
{
	cleanup_free char *directory = xasprintf("/proc/%s", pid);
	cleanup_free char *status = read_file(directory, "status");
	cleanup_free char *limits = read_file(directory, "limits");
	const char *threads = status ? strstr(status, "\nThreads:") : NULL;
	const char *files = limits ? strstr(limits, "Max open files") : NULL;
	uint64_t soft = files ? strtoull(files + strlen("Max open files"), NULL, 10) : 0;

	processes->processes++;
	if (threads)
		processes->threads += strtoull(threads + strlen("\nThreads:"), NULL, 10);
	if (soft > processes->open_files_soft)
		processes->open_files_soft = soft;
	count_descriptors(pid, processes);
}

void metric_count_processes(const json_t *cgroups, struct metric_processes *processes)
{
	const char *directory = find_directory(cgroups, "pids");

	*processes = (struct metric_processes){ 0 };
	if (!directory)
		directory = find_directory(cgroups, "");
	if (!directory)
		directory = json_string_value(json_array_get(cgroups, 0));
	cleanup_free char *text = directory ? read_file(directory, "cgroup.procs") : NULL;
	char *rest = text;

	while (rest && *rest) {
		const char *pid = strsep(&rest, "\n");

		if (*pid)
			count_process(pid, processes);
	}
}
