/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the configuration of registries, in the order in which later ones win. */
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "skopeo-c/registries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM "/etc/containers"

enum { FILE_MAX = 1 << 20 };

static int add_path(json_t *registries, const char *path, bool required, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length;
	int found = file_read_known(path, required, FILE_MAX, &text, &length, err);

	return found <= 0 ? found : registries_add(registries, text, length, path, err);
}

static bool is_conf(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

/* Every *.conf of a directory that may be missing, by name. */
static int add_dir(json_t *registries, const char *path, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, path, &names) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *file = xasprintf("%s/%s", path, names.items[i]);

		if (is_conf(names.items[i]) && add_path(registries, file, true, err) < 0)
			return -1;
	}
	return 0;
}

/* The user's own file takes the place of everything that the system has. */
static int add_all(json_t *registries, struct error *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");
	cleanup_free char *base = config && config[0] ? xasprintf("%s/containers", config)
				  : home	      ? xasprintf("%s/.config/containers", home)
						      : xstrdup(SYSTEM);
	cleanup_free char *own = xasprintf("%s/registries.conf", base);
	cleanup_free char *own_dir = xasprintf("%s/registries.conf.d", base);
	bool is_named = named && named[0];

	if (!is_named && access(own, F_OK) == 0)
		return add_path(registries, own, true, err) < 0 ||
				       add_dir(registries, own_dir, err) < 0
			       ? -1
			       : 0;
	if (add_path(registries, is_named ? named : SYSTEM "/registries.conf", is_named, err) < 0 ||
	    add_dir(registries, SYSTEM "/registries.conf.d", err) < 0)
		return -1;
	return add_dir(registries, own_dir, err);
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

	return add_path(registries, path, false, err);
}
