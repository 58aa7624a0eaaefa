/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config_paths.h"

#include "lib/cleanup.h"
#include "lib/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const systems[] = { "/etc/containers", "/usr/share/containers" };

enum { SYSTEM_COUNT = sizeof systems / sizeof *systems };

unsigned config_user(void)
{
	const char *outside = getenv("_CONTAINERS_ROOTLESS_UID");

	return outside && outside[0] ? (unsigned)strtoul(outside, NULL, 10) : geteuid();
}

static void add_own(const char *name, const char *end, struct strings *paths)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0])
		strings_addf(paths, "%s/containers/%s%s", config, name, end);
	else if (home)
		strings_addf(paths, "%s/.config/containers/%s%s", home, name, end);
}

void config_files(const char *name, struct strings *paths)
{
	add_own(name, "", paths);
	for (size_t i = 0; i < SYSTEM_COUNT; i++)
		strings_addf(paths, "%s/%s", systems[i], name);
}

void config_directories(const char *stem, const char *end, struct strings *paths)
{
	add_own(stem, end, paths);
	for (size_t i = 0; i < SYSTEM_COUNT; i++) {
		if (config_user() == 0) {
			strings_addf(paths, "%s/%s.rootful%s", systems[i], stem, end);
		} else {
			strings_addf(paths, "%s/%s.rootless%s/%u", systems[i], stem, end,
				     config_user());
			strings_addf(paths, "%s/%s.rootless%s", systems[i], stem, end);
		}
		strings_addf(paths, "%s/%s%s", systems[i], stem, end);
	}
}

/* ---- drop-ins ---- */

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_name(const void *one, const void *other)
{
	return strcmp(name_of(*(char *const *)one), name_of(*(char *const *)other));
}

static bool has_name(const struct strings *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(name_of(files->items[i]), name) == 0)
			return true;
	return false;
}

/* What is left of a directory after links that lead nowhere, and directories: other programs read
 * neither. */
static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? !S_ISDIR(status.st_mode) : errno != ENOENT;
}

static int add_directory(const char *directory, const char *ending, struct strings *files,
			 struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, directory, &names) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_os(err, "%s", directory);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		size_t length = strlen(name), ending_length = strlen(ending);

		cleanup_free char *path = xasprintf("%s/%s", directory, name);

		if (length > ending_length && strcmp(name + length - ending_length, ending) == 0 &&
		    !has_name(files, name) && is_file(path))
			strings_add(files, path);
	}
	return 0;
}

int config_drop_ins(const struct strings *directories, const char *ending, struct strings *files,
		    struct error *err)
{
	for (size_t i = 0; i < directories->count; i++)
		if (add_directory(directories->items[i], ending, files, err) < 0)
			return -1;
	if (files->count > 0)
		qsort(files->items, files->count, sizeof *files->items, by_name);
	return 0;
}
