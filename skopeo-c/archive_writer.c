/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/archive_writer.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "skopeo-c/tar.h"
#include "skopeo-c/unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 10, NAME_MAX_BYTES = 200 };

static const unsigned char zeros[2 * TAR_BLOCK];

/* ---- the name ---- */

/* The file of that name; made where there is none: an empty one is no archive yet. */
static int open_name(struct archive_writer *writer)
{
	int fd = open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	writer->made_name = fd >= 0;
	return fd >= 0 || errno != EEXIST ? fd
					  : open(writer->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

static int lock_name(struct archive_writer *writer, struct error *err)
{
	struct stat ours, named;

	for (int i = 0; i < LOCK_TRIES; i++) {
		cleanup_fd int fd = open_name(writer);

		if (fd < 0)
			return error_os(err, "%s", writer->path);
		if (lock_file(fd, LOCK_EXCLUSIVE, false, writer->path, err) < 0)
			return err->kind == ERROR_IN_USE
				       ? error_set(err, ERROR_IN_USE,
						   "%s is being written by another process",
						   writer->path)
				       : -1;
		/* another writer may have put a new file in its place meanwhile */
		if (fstat(fd, &ours) == 0 && stat(writer->path, &named) == 0 &&
		    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
			writer->lock_fd = steal_fd(&fd);
			return 0;
		}
	}
	return error_set(err, ERROR_IN_USE, "%s is being written by other processes", writer->path);
}

/* A symbolic link stays, and what it leads to is replaced. */
static int follow_links(struct archive_writer *writer, struct error *err)
{
	char *real = realpath(writer->path, NULL);

	if (!real)
		return error_os(err, "%s", writer->path);
	free(writer->path);
	writer->path = real;
	return 0;
}

/* With a "/" at its end; the caller frees it. */
static char *directory_of(const struct archive_writer *writer)
{
	const char *slash = strrchr(writer->path, '/');

	return slash ? xasprintf("%.*s/", (int)(slash - writer->path), writer->path)
		     : xstrdup("./");
}

/* The new archive is beside the place where it goes; it is locked, so that what a killed process
 * has left can be told from it. */
static int open_new_file(struct archive_writer *writer, struct error *err)
{
	char unique[RANDOM_NAME_SIZE];
	cleanup_free char *directory = directory_of(writer);
	cleanup_fd int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error ignored; /* a file system without locks is never swept either */

	if (directory_fd >= 0)
		unfinished_sweep(directory_fd);
	random_name(unique);
	writer->temporary = xasprintf("%s" UNFINISHED_PREFIX "%s", directory, unique);
	writer->fd = open(writer->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (writer->fd >= 0) {
		(void)lock_file(writer->fd, LOCK_EXCLUSIVE, false, "new file", &ignored);
		return 0;
	}
	error_os(err, "%s", writer->temporary);
	free(steal_ptr(&writer->temporary));
	return -1;
}

/* ---- members ---- */

static int write_at_end(struct archive_writer *writer, const void *data, size_t length,
			struct error *err)
{
	if (!writer->is_stream && lseek(writer->fd, writer->end, SEEK_SET) < 0)
		return error_os(err, "%s", writer->path);
	if (file_write_fd(writer->fd, data, length, writer->path, err) < 0)
		return -1;
	writer->end += (int64_t)length;
	return 0;
}

static void note_place(struct archive_writer *writer, const char *name)
{
	json_object_set_new(writer->places, name, json_integer(writer->end));
}

static int begin(struct archive_writer *writer, const char *name, int64_t size, struct error *err)
{
	unsigned char header[TAR_HEADER_MAX];

	if (strlen(name) > NAME_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, "%s: the name %s is too long", writer->path,
				 name);
	if (write_at_end(writer, header, tar_header(name, size, header), err) < 0)
		return -1;
	note_place(writer, name);
	return 0;
}

static bool has(const struct archive_writer *writer, const char *name)
{
	return json_object_get(writer->places, name) && !json_object_get(writer->unfinished, name);
}

int archive_writer_has_blob(const struct archive_writer *writer, const char *name,
			    const struct blob *blob, struct error *err)
{
	const struct archive_member *member = writer->old ? archive_find(writer->old, name) : NULL;
	struct blob_source source = BLOB_SOURCE_NONE;
	char digest[DIGEST_SIZE];
	json_int_t size;

	if (!has(writer, name))
		return 0;
	if (!member)
		return 1;
	if (archive_source(writer->old, member, "", &source, err) < 0)
		return -1;
	int status = blob_source_hash(&source, blob->digest, writer->path, digest, &size, err);
	blob_source_close(&source);
	if (status < 0)
		return -1;
	if (strcmp(digest, blob->digest) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s has the digest %s",
				 writer->path, blob->digest, digest);
	if (blob->size >= 0 && blob->size != size)
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s has %lld bytes, expected %lld",
				 writer->path, blob->digest, (long long)size,
				 (long long)blob->size);
	return 1;
}

/* Content is written through a descriptor with an offset of its own. */
static int open_at(const struct archive_writer *writer, int64_t offset, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", writer->fd);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || lseek(fd, offset, SEEK_SET) < 0)
		return error_os(err, "%s", writer->path);
	return steal_fd(&fd);
}

static int offer_place(struct archive_writer *writer, const char *name, int64_t size,
		       struct blob_sink *sink, struct error *err)
{
	if (!json_object_get(writer->places, name)) {
		if (begin(writer, name, size, err) < 0)
			return -1;
		writer->end += tar_padded(size);
	}
	sink->fd = open_at(writer, json_integer_value(json_object_get(writer->places, name)), err);
	return sink->fd < 0 ? -1 : 0;
}

int archive_writer_offer(struct archive_writer *writer, const char *name, int64_t size,
			 struct blob_sink *sink, struct error *err)
{
	sink->state = SINK_WANTED;
	sink->dir_fd = -1;
	bool is_late = writer->is_stream && json_object_size(writer->unfinished) > 0;
	json_object_set_new(writer->unfinished, name, json_true());
	if (!writer->is_stream)
		return offer_place(writer, name, size, sink, err);
	if (is_late)
		return error_set(err, ERROR_FAILED,
				 "%s: what was written already cannot be taken back", writer->path);
	if (begin(writer, name, size, err) < 0)
		return -1;
	writer->open_size = size;
	sink->fd = fcntl(writer->fd, F_DUPFD_CLOEXEC, 0);
	return sink->fd < 0 ? error_os(err, "%s", writer->path) : 0;
}

int archive_writer_commit(struct archive_writer *writer, const char *name, struct error *err)
{
	json_object_del(writer->unfinished, name);
	if (!writer->is_stream)
		return 0;
	writer->end += writer->open_size;
	return write_at_end(writer, zeros,
			    (size_t)(tar_padded(writer->open_size) - writer->open_size), err);
}

/* What is behind the end is of an attempt that broke. */
static int cut_off(struct archive_writer *writer, struct error *err)
{
	return ftruncate(writer->fd, writer->end) < 0 ? error_os(err, "%s", writer->path) : 0;
}

int archive_writer_lend(struct archive_writer *writer, int *fd, struct error *err)
{
	*fd = -1;
	if (writer->is_stream)
		return 0;
	if (cut_off(writer, err) < 0)
		return -1;
	*fd = open_at(writer, writer->end + TAR_BLOCK, err);
	return *fd < 0 ? -1 : 0;
}

int archive_writer_take(struct archive_writer *writer, const char *name, int64_t size,
			struct error *err)
{
	int64_t content = writer->end + TAR_BLOCK;

	if (has(writer, name))
		return cut_off(writer, err);
	if (begin(writer, name, size, err) < 0)
		return -1;
	if (writer->end != content)
		return error_set(err, ERROR_LIMIT, "%s: the name %s is too long", writer->path,
				 name);
	writer->end += size;
	return write_at_end(writer, zeros, (size_t)(tar_padded(size) - size), err);
}

int archive_writer_add(struct archive_writer *writer, const char *name, const void *data,
		       size_t length, struct error *err)
{
	if (begin(writer, name, (int64_t)length, err) < 0 ||
	    write_at_end(writer, data, length, err) < 0)
		return -1;
	return write_at_end(writer, zeros, (size_t)(tar_padded((int64_t)length) - (int64_t)length),
			    err);
}

/* ---- an archive that was there before ---- */

static int copy_content(struct archive_writer *writer, const struct archive_member *member,
			struct error *err)
{
	cleanup_fd int fd = archive_reopen(writer->old, member, err);
	int64_t left = member->size;
	loff_t to = writer->end;

	while (fd >= 0 && left > 0) {
		ssize_t copied = copy_file_range(fd, NULL, writer->fd, &to, (size_t)left, 0);

		if (copied < 0)
			return error_os(err, "%s", writer->path);
		if (copied == 0)
			return error_set(err, ERROR_INTEGRITY, "%s: %s is cut off", writer->path,
					 member->name);
		left -= copied;
	}
	writer->end += tar_padded(member->size);
	return fd < 0 ? -1 : 0;
}

static bool is_renewed(const char *const *renewed, const char *name)
{
	for (; *renewed; renewed++)
		if (strcmp(*renewed, name) == 0)
			return true;
	return false;
}

static int copy_member(struct archive_writer *writer, const struct archive_member *member,
		       struct error *err)
{
	unsigned char header[TAR_HEADER_MAX];
	bool fits = strlen(member->name) <= 100 && strlen(member->link) <= 100;
	const struct archive_member *content = member;

	if (member->type == '1' && !(content = archive_find(writer->old, member->name)))
		return 0;
	if (member->type == '0' || member->type == '1')
		return begin(writer, member->name, content->size, err) < 0
			       ? -1
			       : copy_content(writer, content, err);
	/* what is left out is no part of any image */
	if (member->type != '2' || !fits)
		return 0;
	return write_at_end(writer, header, tar_link_header(member->name, member->link, header),
			    err);
}

static int keep_old(struct archive_writer *writer, const char *const *renewed, struct error *err)
{
	for (size_t i = 0; i < writer->old->count; i++) {
		const struct archive_member *member = &writer->old->members[i];
		const json_t *number = json_object_get(writer->old->last, member->name);

		if (!is_renewed(renewed, member->name) &&
		    json_integer_value(number) == (json_int_t)i &&
		    copy_member(writer, member, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ---- */

bool archive_is_stdout(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

static bool is_regular_or_new(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

void archive_writer_open_stream(int fd, const char *path, struct archive_writer *writer)
{
	*writer = (struct archive_writer){ .fd = fd, .lock_fd = -1, .is_stream = true };
	writer->path = xstrdup(path);
	writer->places = json_object();
	writer->unfinished = json_object();
}

static int open_stream(const char *path, struct archive_writer *writer, struct error *err)
{
	bool is_stdout = archive_is_stdout(path);
	int fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			   : open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", path);
	if (isatty(fd)) {
		close(fd);
		return error_set(err, ERROR_USAGE, "an archive is not written to a terminal");
	}
	archive_writer_open_stream(fd, is_stdout ? "standard output" : path, writer);
	return 0;
}

int archive_writer_open(const char *path, const char *const *renewed, struct archive_writer *writer,
			struct error *err)
{
	struct stat st;

	*writer = (struct archive_writer){ .fd = -1, .lock_fd = -1 };
	if (archive_is_stdout(path) || !is_regular_or_new(path))
		return open_stream(path, writer, err);
	writer->path = xstrdup(path);
	writer->places = json_object();
	writer->unfinished = json_object();
	if (lock_name(writer, err) < 0 || follow_links(writer, err) < 0 ||
	    open_new_file(writer, err) < 0)
		return -1;
	if (fstat(writer->lock_fd, &st) < 0)
		return error_os(err, "%s", writer->path);
	if (file_inherit(writer->fd, &st) < 0)
		return error_os(err, "%s", writer->path);
	if (st.st_size == 0)
		return 0;
	writer->old = archive_open(path, NULL, err);
	return writer->old ? keep_old(writer, renewed, err) : -1;
}

int archive_writer_finish(struct archive_writer *writer, struct error *err)
{
	if (write_at_end(writer, zeros, sizeof zeros, err) < 0)
		return -1;
	writer->is_finished = true;
	if (writer->is_stream)
		return 0;
	cleanup_free char *directory = directory_of(writer);
	cleanup_fd int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0 || fsync(writer->fd) < 0 ||
	    rename(writer->temporary, writer->path) < 0)
		return error_os(err, "%s", writer->path);
	free(steal_ptr(&writer->temporary));
	return file_sync_dir(directory_fd, writer->path, err);
}

void archive_writer_close(struct archive_writer *writer)
{
	if (writer->temporary) {
		unlink(writer->temporary);
		if (writer->made_name)
			unlink(writer->path);
	}
	free(writer->temporary);
	free(writer->path);
	json_decref(writer->places);
	json_decref(writer->unfinished);
	archive_free(writer->old);
	cleanup_fd_p(&writer->fd);
	cleanup_fd_p(&writer->lock_fd);
	*writer = (struct archive_writer){ .fd = -1, .lock_fd = -1 };
}
