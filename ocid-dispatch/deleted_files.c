/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/deleted_files.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/tar_writer.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* An absolute path of names. */
static bool is_path(const char *text)
{
	return text && *text == '/' && path_descends(text + 1);
}

static int add_whiteout(struct tar_writer *tar, const char *path, struct error *err)
{
	const char *name = strrchr(path, '/') + 1;
	cleanup_free char *whiteout =
		xasprintf("%.*s.wh.%s", (int)(name - path - 1), path + 1, name);
	const struct stat st = { .st_mode = S_IFREG };
	const struct tar_entry entry = { .path = whiteout, .st = &st };

	return tar_write_header(tar, &entry, err);
}

int deleted_files_archive(const json_t *paths, struct error *err)
{
	cleanup_fd int fd = memfd_create("whiteouts", MFD_CLOEXEC);
	struct tar_writer tar = { .fd = fd, .what = "deleted.files" };
	const json_t *path;
	size_t i;

	if (fd < 0)
		return error_os(err, "a file in memory");
	if (!json_is_array(paths))
		return error_set(err, ERROR_INTEGRITY, "deleted.files is no array");
	json_array_foreach (paths, i, path) {
		if (!is_path(json_string_value(path)))
			return error_set(err, ERROR_INTEGRITY,
					 "deleted.files has something that is no path");
		if (add_whiteout(&tar, json_string_value(path), err) < 0)
			return -1;
	}
	if (tar_finish(&tar, err) < 0)
		return -1;
	return lseek(fd, 0, SEEK_SET) < 0 ? error_os(err, "a file in memory") : steal_fd(&fd);
}
