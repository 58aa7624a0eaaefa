/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/output_config.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Others may reach a root file system in the bundle, as a user namespace has to. */
enum { BUNDLE_MODE = 0711, CONFIG_MODE = 0644 };

/* The text of a config.json for people to read; the caller frees it. */
static char *readable(const json_t *config)
{
	cleanup_free char *json = json_dumps(config, JSON_INDENT(2) | JSON_SORT_KEYS);

	return xasprintf("%s\n", json ? json : "null");
}

static int write_at(int directory_fd, const char *name, const json_t *config, struct error *err)
{
	cleanup_free char *text = readable(config);

	return file_replace_at(directory_fd, name, text, strlen(text), CONFIG_MODE, err);
}

int output_config_at(int directory_fd, const char *text, struct error *err)
{
	return file_replace_volatile_at(directory_fd, "config.json", text, strlen(text), 0600, err);
}

/* A device or a pipe is written to: a rename would put a file in the place of /dev/null. */
static int write_special(const char *path, const json_t *config, struct error *err)
{
	cleanup_free char *text = readable(config);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? error_os(err, "%s", path)
		      : file_write_fd(fd, text, strlen(text), path, err);
}

/* Fill a directory of another name and give it its own when it is whole. */
static int make_bundle_at(int parent_fd, const char *name, const char *unfinished,
			  const json_t *config, struct error *err)
{
	cleanup_fd int fd = openat(parent_fd, unfinished, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", unfinished);
	if (write_at(fd, "config.json", config, err) < 0)
		return -1;
	if (renameat2(parent_fd, unfinished, parent_fd, name, RENAME_NOREPLACE) < 0)
		return error_os(err, "%s", name);
	return file_sync_dir(parent_fd, name, err);
}

static int make_bundle(int parent_fd, const char *name, const json_t *config, struct error *err)
{
	char suffix[RANDOM_NAME_SIZE];
	struct error unused;

	random_name(suffix);
	cleanup_free char *unfinished = xasprintf(".%s.%s", name, suffix);
	if (mkdirat(parent_fd, unfinished, BUNDLE_MODE) < 0)
		return error_os(err, "%s", name);
	if (make_bundle_at(parent_fd, name, unfinished, config, err) == 0)
		return 0;
	path_remove_tree(parent_fd, unfinished, &unused);
	return -1;
}

char *output_bundle(const char *path)
{
	struct stat st = { .st_mode = S_IFREG };
	cleanup_free char *real = realpath(path, NULL);
	cleanup_free char *file = xstrdup(real ? real : path);

	if ((real && stat(real, &st) == 0 && S_ISDIR(st.st_mode)) || file[strlen(file) - 1] == '/')
		return steal_ptr(&file);
	return S_ISREG(st.st_mode) ? xstrdup(dirname(file)) : NULL;
}

int output_config(const char *path, const json_t *config, struct error *err)
{
	struct stat st;
	cleanup_free char *real = realpath(path, NULL);
	bool present = real && stat(real, &st) == 0;

	if (!*path)
		return error_set(err, ERROR_USAGE, "--output: the value is empty");
	if (present && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_special(real, config, err);
	if (present && S_ISDIR(st.st_mode)) {
		cleanup_free char *file = xasprintf("%s/config.json", real);

		return write_at(AT_FDCWD, file, config, err);
	}
	if (path[strlen(path) - 1] != '/')
		return write_at(AT_FDCWD, present ? real : path, config, err);

	cleanup_free char *for_directory = xstrdup(path), *for_name = xstrdup(path);
	const char *directory = dirname(for_directory), *name = basename(for_name);
	cleanup_fd int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory_fd < 0)
		return error_os(err, "%s", directory);
	return make_bundle(directory_fd, name, config, err);
}
