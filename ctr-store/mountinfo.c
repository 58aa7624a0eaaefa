/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/mountinfo.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOUNTINFO_MAX = 64 << 20 };

/* "\040" and its like, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void add_entry(struct mount_table *table, const char *id, char *target, char *source)
{
	unescape(target);
	unescape(source);
	table->entries = xgrow(table->entries, table->count, sizeof *table->entries);
	table->entries[table->count++] =
		(struct mount_entry){ xstrdup(target), xstrdup(source), strtoull(id, NULL, 10) };
}

/* An nsfs mount's root says what it keeps: "mnt:[4026531841]". */
static void add_pinned(struct mount_table *table, const char *root)
{
	if (strncmp(root, "mnt:[", 5) != 0)
		return;
	table->pinned = xgrow(table->pinned, table->pinned_count, sizeof *table->pinned);
	table->pinned[table->pinned_count++] = (ino_t)strtoull(root + 5, NULL, 10);
}

/* id parent major:minor ROOT TARGET options [optional…] - TYPE SOURCE options */
struct line {
	char *before[6], *after[2];
};

static bool split(char *rest, struct line *line)
{
	for (size_t i = 0; i < 6; i++)
		if (!(line->before[i] = strsep(&rest, " ")))
			return false;
	for (const char *field = ""; strcmp(field, "-") != 0;)
		if (!(field = strsep(&rest, " ")))
			return false;
	for (size_t i = 0; i < 2; i++)
		if (!(line->after[i] = strsep(&rest, " ")))
			return false;
	return true;
}

static void parse_line(char *text, struct mount_table *table)
{
	struct line line;

	if (!split(text, &line))
		return;
	if (strcmp(line.after[0], "overlay") == 0 &&
	    strncmp(line.after[1], MOUNT_SOURCE_PREFIX, strlen(MOUNT_SOURCE_PREFIX)) == 0)
		add_entry(table, line.before[0], line.before[4], line.after[1]);
	else if (strcmp(line.after[0], "nsfs") == 0)
		add_pinned(table, line.before[3]);
}

void mount_table_parse(char *text, struct mount_table *table)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		parse_line(line, table);
}

int mount_table_read(pid_t pid, struct mount_table *table, struct error *err)
{
	size_t length;
	cleanup_free char *path =
		pid ? xasprintf("/proc/%d/mountinfo", (int)pid) : xstrdup("/proc/self/mountinfo");
	cleanup_free char *text = file_read_at(AT_FDCWD, path, MOUNTINFO_MAX, &length, err);

	if (!text)
		return -1;
	*table = (struct mount_table){ 0 };
	mount_table_parse(text, table);
	return 0;
}

int mount_find_below(const char *directory, char **target, struct error *err)
{
	size_t length = strlen(directory), size;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &size, err);
	cleanup_free char *last = NULL;
	char *one, *rest = text;
	struct line line;

	if (!text)
		return -1;
	while ((one = strsep(&rest, "\n"))) {
		if (!split(one, &line))
			continue;
		unescape(line.before[4]);
		if (strncmp(line.before[4], directory, length) != 0 ||
		    line.before[4][length] != '/')
			continue;
		free(last);
		last = xstrdup(line.before[4]);
	}
	*target = steal_ptr(&last);
	return *target != NULL;
}

int mount_busy(const char *directory, struct error *err)
{
	struct error ignored;
	cleanup_free char *below = NULL;

	if (mount_find_below(directory, &below, &ignored) > 0)
		error_set(err, ERROR_IN_USE, "%s is busy: something is mounted at %s", directory,
			  below);
	else
		error_set(err, ERROR_IN_USE, "%s is busy: a process works in it", directory);
	err->os = EBUSY;
	return -1;
}

void mount_table_free(struct mount_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		free(table->entries[i].target);
		free(table->entries[i].source);
	}
	free(table->entries);
	free(table->pinned);
	*table = (struct mount_table){ 0 };
}

bool mount_table_has(const struct mount_table *table, const char *source, const char *target)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->entries[i].source, source) == 0 &&
		    (!target || strcmp(table->entries[i].target, target) == 0))
			return true;
	return false;
}

const char *mount_table_on(const struct mount_table *table, const char *target)
{
	for (size_t i = table->count; i > 0; i--)
		if (strcmp(table->entries[i - 1].target, target) == 0)
			return table->entries[i - 1].source;
	return NULL;
}

const char *mount_table_top(const struct mount_table *table, const char *target)
{
	struct statx st;

	/* before Linux 5.8 the kernel does not say which mount that is */
	if (statx(AT_FDCWD, target, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0 ||
	    !(st.stx_mask & STATX_MNT_ID))
		return mount_table_on(table, target);
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].id == st.stx_mnt_id)
			return table->entries[i].source;
	return NULL;
}

ino_t mount_namespace(pid_t pid)
{
	struct stat st;
	cleanup_free char *path =
		pid ? xasprintf("/proc/%d/ns/mnt", (int)pid) : xstrdup("/proc/self/ns/mnt");

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

ino_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* The process has ended, or is another user's. */
static bool tells_nothing(const struct error *err)
{
	return err->os == ENOENT || err->os == ESRCH || err->os == EINVAL || err->os == EACCES;
}

int mount_table_read_in(ino_t name_space, struct mount_table *table, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, "/proc", &names) < 0)
		return error_os(err, "/proc");
	for (size_t i = 0; i < names.count; i++) {
		pid_t pid = (pid_t)strtol(names.items[i], NULL, 10);

		if (pid <= 0 || mount_namespace(pid) != name_space)
			continue;
		/* one process of the namespace tells for all; a next one if it ends meanwhile */
		if (mount_table_read(pid, table, err) == 0)
			return 1;
		if (!tells_nothing(err))
			return -1;
	}
	return 0;
}

bool mount_table_keeps(const struct mount_table *table, ino_t name_space)
{
	for (size_t i = 0; i < table->pinned_count; i++)
		if (table->pinned[i] == name_space)
			return true;
	return false;
}
