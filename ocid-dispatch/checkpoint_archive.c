/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/checkpoint_archive.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/tar_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IMAGES "checkpoint"

enum { MODE = 0600, DIRECTORY_MODE = 0700, CHUNK = 256 << 10 };

struct archive {
	struct tar_writer tar;
	char *buffer; /* CHUNK bytes */
};

static int add_header(struct archive *archive, const char *path, const struct stat *of,
		      struct error *err)
{
	const struct stat st = {
		.st_mode = S_ISDIR(of->st_mode) ? S_IFDIR | DIRECTORY_MODE : S_IFREG | MODE,
		.st_size = of->st_size,
		.st_mtim = of->st_mtim,
	};
	const struct tar_entry entry = { .path = path, .st = &st };

	return tar_write_header(&archive->tar, &entry, err);
}

static int add_text(struct archive *archive, const char *path, const char *text, struct error *err)
{
	const struct stat st = { .st_mode = S_IFREG,
				 .st_size = (off_t)strlen(text),
				 .st_mtim.tv_sec = time(NULL) };

	return add_header(archive, path, &st, err) < 0 ||
			       tar_write(&archive->tar, text, strlen(text), err) < 0
		       ? -1
		       : tar_pad(&archive->tar, err);
}

/* A file at `name`, which need not be there: 1 when it is not. */
static int add_file(struct archive *archive, const char *path, int directory_fd, const char *name,
		    struct error *err)
{
	struct stat st;
	cleanup_fd int fd =
		openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "%s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "%s is no regular file", name);
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	if (add_header(archive, path, &st, err) < 0 ||
	    tar_write_file(&archive->tar, fd, st.st_size, archive->buffer, CHUNK, err) < 0)
		return error_prefix(err, "%s", name);
	return 0;
}

/* The same for one of ours, which is not needed any more then: it may be large. */
static int move_file(struct archive *archive, const char *path, int directory_fd, const char *name,
		     struct error *err)
{
	int added = add_file(archive, path, directory_fd, name, err);

	if (added == 0)
		unlinkat(directory_fd, name, 0);
	return added < 0 ? -1 : 0;
}

static int add_documents(struct archive *archive, const json_t *documents, struct error *err)
{
	const char *name;
	json_t *document;

	json_object_foreach ((json_t *)documents, name, document) {
		cleanup_free char *text = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS);

		if (!text)
			return error_set(err, ERROR_FAILED, "%s cannot be written", name);
		if (add_text(archive, name, text, err) < 0)
			return -1;
	}
	return 0;
}

/* What tells of the checkpoint stands beside the images, not among them. */
static int add_reports(struct archive *archive, int images_fd, struct error *err)
{
	return move_file(archive, "dump.log", images_fd, "dump.log", err) < 0
		       ? -1
		       : move_file(archive, "stats-dump", images_fd, "stats-dump", err);
}

static int add_images(struct archive *archive, int images_fd, struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	struct stat st;

	if (directory_names(images_fd, ".", &names) < 0 || fstat(images_fd, &st) < 0)
		return error_os(err, "the images of CRIU");
	st.st_size = 0;
	if (add_header(archive, IMAGES, &st, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf(IMAGES "/%s", names.items[i]);

		if (move_file(archive, path, images_fd, names.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int add_log(struct archive *archive, const char *log, struct error *err)
{
	return log && add_file(archive, "container.log", AT_FDCWD, log, err) < 0 ? -1 : 0;
}

int checkpoint_archive(int fd, const char *what, const json_t *documents, const char *log,
		       int directory_fd, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, CHUNK);
	struct archive archive = { { .fd = fd, .what = what }, buffer };
	cleanup_fd int images_fd =
		path_open_beneath(directory_fd, IMAGES, O_RDONLY | O_DIRECTORY, err);

	if (images_fd < 0 || add_documents(&archive, documents, err) < 0 ||
	    add_reports(&archive, images_fd, err) < 0 || add_log(&archive, log, err) < 0 ||
	    add_images(&archive, images_fd, err) < 0 ||
	    move_file(&archive, "rootfs-diff.tar", directory_fd, "rootfs-diff.tar", err) < 0)
		return -1;
	return tar_finish(&archive.tar, err);
}
