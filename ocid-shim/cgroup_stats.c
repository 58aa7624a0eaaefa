/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/cgroup_stats.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 16,
	US = 1000 /* nanoseconds in a microsecond */
};

static const json_int_t NONE = -1, UNLIMITED = 1LL << 62; /* v1 says it by a huge number */

/* A file of the cgroup, from whichever hierarchy has it. The caller frees it. */
static char *read_file(const json_t *directories, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (directories, i, entry) {
		const char *directory = json_string_value(entry);
		cleanup_free char *path = directory ? xasprintf("%s/%s", directory, name) : NULL;
		struct error ignored;
		size_t length;
		char *text = path && access(path, R_OK) == 0
				     ? file_read_at(AT_FDCWD, path, FILE_MAX, &length, &ignored)
				     : NULL;

		if (text)
			return text;
	}
	return NULL;
}

/* A number of the kernel's at the start of the text; NONE where there is none. */
static json_int_t parse_number(const char *text)
{
	if (!text || *text < '0' || *text > '9')
		return NONE;
	return strtoll(text, NULL, 10); /* what is too large becomes the largest */
}

static json_int_t read_number(const json_t *directories, const char *name)
{
	cleanup_free char *text = read_file(directories, name);

	return parse_number(text);
}

/* A limit; NONE where there is none. */
static json_int_t read_limit(const json_t *directories, const char *name)
{
	json_int_t limit = read_number(directories, name);

	return limit < UNLIMITED ? limit : NONE;
}

/* The number in the line `KEY NUMBER`. */
static json_int_t find_number(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line;) {
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return parse_number(line + length + 1);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NONE;
}

/* The first of them that is a number. */
static json_int_t either(json_int_t one, json_int_t other)
{
	return one != NONE ? one : other;
}

/* Set `key` to what protobuf's JSON mapping has for a wrapped number, as the CRI's are. */
static void set_value(json_t *object, const char *key, json_int_t number)
{
	if (number != NONE)
		json_object_set_new(object, key, json_pack("{s:I}", "value", number));
}

/* Where the value of ` KEY=VALUE` begins; NULL where it is not there. */
static const char *find_value(const char *line, const char *key)
{
	const char *at = line ? strstr(line, key) : NULL;

	return at ? at + strlen(key) : NULL;
}

/* A line of a pressure file: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` (microseconds). */
static void set_pressure_line(json_t *psi, const char *key, const char *line)
{
	const char *avg10 = find_value(line, " avg10="), *avg60 = find_value(line, " avg60=");
	const char *avg300 = find_value(line, " avg300="), *total = find_value(line, " total=");

	if (avg10 && avg60 && avg300 && total)
		json_object_set_new(psi, key,
				    json_pack("{s:I, s:f, s:f, s:f}", "Total",
					      parse_number(total) * US, "Avg10",
					      strtod(avg10, NULL), "Avg60", strtod(avg60, NULL),
					      "Avg300", strtod(avg300, NULL)));
}

static void set_pressure(json_t *object, const json_t *directories, const char *name)
{
	cleanup_free char *text = read_file(directories, name);

	if (!text)
		return;
	json_t *psi = json_object();
	set_pressure_line(psi, "Some", strstr(text, "some "));
	set_pressure_line(psi, "Full", strstr(text, "full "));
	json_object_set_new(object, "psi", psi);
}

static json_t *cpu_stats(const json_t *directories)
{
	json_t *cpu = json_pack("{s:I}", "timestamp", clock_wall_ns());
	json_int_t usage = read_number(directories, "cpuacct.usage");

	if (usage == NONE) {
		cleanup_free char *text = read_file(directories, "cpu.stat");

		usage = find_number(text, "usage_usec");
		usage = usage == NONE ? NONE : usage * US;
	}
	set_value(cpu, "usageCoreNanoSeconds", usage);
	set_pressure(cpu, directories, "cpu.pressure");
	return cpu;
}

static json_t *memory_stats(const json_t *directories)
{
	json_t *memory = json_pack("{s:I}", "timestamp", clock_wall_ns());
	cleanup_free char *text = read_file(directories, "memory.stat");
	json_int_t usage = either(read_number(directories, "memory.usage_in_bytes"),
				  read_number(directories, "memory.current"));
	/* v1 limits by the tightest of the cgroups above too, v2 says only this one's */
	json_int_t limit = either(find_number(text, "hierarchical_memory_limit"),
				  read_limit(directories, "memory.max"));
	/* in v1 those without total_ leave out the cgroups below */
	json_int_t idle = either(find_number(text, "total_inactive_file"),
				 find_number(text, "inactive_file"));

	set_value(memory, "usageBytes", usage);
	if (usage != NONE && idle != NONE) {
		json_int_t working_set = usage > idle ? usage - idle : 0;

		set_value(memory, "workingSetBytes", working_set);
		if (limit != NONE && limit < UNLIMITED)
			set_value(memory, "availableBytes",
				  limit > working_set ? limit - working_set : 0);
	}
	set_value(memory, "rssBytes",
		  either(find_number(text, "total_rss"), find_number(text, "anon")));
	set_value(memory, "pageFaults",
		  either(find_number(text, "total_pgfault"), find_number(text, "pgfault")));
	set_value(memory, "majorPageFaults",
		  either(find_number(text, "total_pgmajfault"), find_number(text, "pgmajfault")));
	set_pressure(memory, directories, "memory.pressure");
	return memory;
}

/* v1 counts memory and swap together. */
static json_int_t without(json_int_t both, json_int_t memory)
{
	if (both == NONE || memory == NONE)
		return NONE;
	return both > memory ? both - memory : 0;
}

static json_t *swap_stats(const json_t *directories)
{
	json_t *swap = json_pack("{s:I}", "timestamp", clock_wall_ns());
	json_int_t usage = either(without(read_number(directories, "memory.memsw.usage_in_bytes"),
					  read_number(directories, "memory.usage_in_bytes")),
				  read_number(directories, "memory.swap.current"));
	json_int_t limit = either(without(read_limit(directories, "memory.memsw.limit_in_bytes"),
					  read_limit(directories, "memory.limit_in_bytes")),
				  read_limit(directories, "memory.swap.max"));

	set_value(swap, "swapUsageBytes", usage);
	if (usage != NONE && limit != NONE)
		set_value(swap, "swapAvailableBytes", limit > usage ? limit - usage : 0);
	return swap;
}

static json_t *io_stats(const json_t *directories)
{
	json_t *io = json_pack("{s:I}", "timestamp", clock_wall_ns());

	set_pressure(io, directories, "io.pressure");
	return io;
}

static json_t *pids_stats(const json_t *directories)
{
	json_t *pids = json_object();
	json_int_t current = read_number(directories, "pids.current");
	json_int_t limit = read_limit(directories, "pids.max");

	if (current != NONE)
		json_object_set_new(pids, "current", json_integer(current));
	if (limit != NONE)
		json_object_set_new(pids, "limit", json_integer(limit));
	return pids;
}

/* Add a part that says more than when it was read. */
static void add_part(json_t *stats, const char *key, json_t *part)
{
	size_t trivial = json_object_get(part, "timestamp") ? 1 : 0;

	if (json_object_size(part) > trivial)
		json_object_set(stats, key, part);
	json_decref(part);
}

json_t *cgroup_stats(const json_t *directories)
{
	json_t *stats = json_pack("{s:I}", "timestamp", clock_wall_ns());

	add_part(stats, "cpu", cpu_stats(directories));
	add_part(stats, "memory", memory_stats(directories));
	add_part(stats, "swap", swap_stats(directories));
	add_part(stats, "io", io_stats(directories));
	add_part(stats, "pids", pids_stats(directories));
	return stats;
}

long long cgroup_oom_kills(const json_t *directories)
{
	cleanup_free char *v1 = read_file(directories, "memory.oom_control");
	cleanup_free char *v2 = read_file(directories, "memory.events");
	json_int_t kills = either(find_number(v1, "oom_kill"), find_number(v2, "oom_kill"));

	return kills == NONE ? 0 : kills;
}

/* Where systemd has a slice: "a-b.slice" is /a.slice/a-b.slice. The caller frees it. */
static char *slice_path(const char *name)
{
	char *path = xstrdup("");

	for (const char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-')) {
		char *longer = xasprintf("%s/%.*s.slice", path, (int)(dash - name), name);

		free(path);
		path = longer;
	}
	char *whole = xasprintf("%s/%s", path, name);
	free(path);
	return whole;
}

static bool leads_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

json_t *cgroup_directories(const char *path, struct error *err)
{
	static const char *const hierarchies[] = { "",	      "/cpuacct", "/cpu,cpuacct",
						   "/memory", "/pids",	  "/unified" };
	const char *suffix = strrchr(path, '.');
	cleanup_free char *slice = !strchr(path, '/') && suffix && strcmp(suffix, ".slice") == 0
					   ? slice_path(path)
					   : NULL;
	const char *name = slice ? slice : path;
	json_auto_t *directories = json_array();
	bool pure = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;

	if (name[0] != '/' || leads_up(name))
		return error_set(err, ERROR_USAGE, "\"%s\" is not a cgroup's path", path), NULL;
	for (size_t i = pure ? 0 : 1; i < (pure ? 1 : sizeof hierarchies / sizeof *hierarchies);
	     i++) {
		cleanup_free char *directory =
			xasprintf("/sys/fs/cgroup%s%s", hierarchies[i], name);
		cleanup_free char *procs = xasprintf("%s/cgroup.procs", directory);

		if (access(procs, F_OK) == 0)
			json_array_append_new(directories, json_string(directory));
	}
	if (json_array_size(directories) > 0)
		return json_incref(directories);
	error_set(err, ERROR_NOT_FOUND, "no cgroup \"%s\"", path);
	error_subject(err, path);
	return NULL;
}
