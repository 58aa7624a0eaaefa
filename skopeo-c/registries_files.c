/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the configuration of registries, in the order in which later ones win. */
#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "skopeo-c/registries.h"

#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

/* 1: it is added; 0: there is no such file, which is an error where it is required. */
static int add_path(json_t *registries, const char *path, bool required, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length;
	int found = file_read_known(path, required, FILE_MAX, &text, &length, err);

	if (found <= 0)
		return found;
	return registries_add(registries, text, length, path, err) < 0 ? -1 : 1;
}

/* The same for a file that an option or a variable names. */
static int add_named(json_t *registries, const char *path, struct error *err)
{
	return add_path(registries, path, true, err) < 0 ? error_missing_is(err, ERROR_USAGE) : 1;
}

static int add_usual(json_t *registries, struct error *err)
{
	cleanup_strings struct strings files = { 0 }, directories = { 0 }, drop_ins = { 0 };
	int status = 0;

	config_files("registries.conf", &files);
	for (size_t i = 0; i < files.count && status == 0; i++)
		status = add_path(registries, files.items[i], false, err);
	config_directories("registries", ".conf.d", &directories);
	if (status < 0 || config_drop_ins(&directories, ".conf", &drop_ins, err) < 0)
		return -1;
	for (size_t i = 0; i < drop_ins.count; i++)
		if (add_path(registries, drop_ins.items[i], false, err) < 0)
			return -1;
	return 0;
}

static int add_all(json_t *registries, struct error *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	const char *last = getenv("CONTAINERS_REGISTRIES_CONF_OVERRIDE");
	int status =
		named && named[0] ? add_named(registries, named, err) : add_usual(registries, err);

	if (status >= 0 && last && last[0])
		status = add_named(registries, last, err);
	return status < 0 ? -1 : 0;
}

json_t *registries_load(struct error *err)
{
	json_t *registries = json_object();

	if (add_all(registries, err) == 0)
		return registries;
	json_decref(registries);
	return NULL;
}

int registries_load_noted(json_t *registries, struct error *err)
{
	const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
	cleanup_free char *path =
		geteuid() == 0	    ? xstrdup("/var/cache/containers/short-name-aliases.conf")
		: cache && cache[0] ? xasprintf("%s/containers/short-name-aliases.conf", cache)
				    : xasprintf("%s/.cache/containers/short-name-aliases.conf",
						home ? home : "");

	return add_path(registries, path, false, err) < 0 ? -1 : 0;
}
