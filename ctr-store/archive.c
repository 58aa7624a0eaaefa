/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/archive.h"

#include "ctr-store/worker/limits.h"
#include "ctr-store/xattrs.h"
#include "lib/base64.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_CHUNK = 256 << 10, END_MAX = 3 * 512 /* padding, and the end of the archive */ };

void archive_start(struct archive *archive, struct tar_writer *tar, const json_t *container)
{
	*archive = (struct archive){ .tar = tar,
				     .linked = json_object(),
				     .buffer = xcalloc(1, READ_CHUNK),
				     .maps = id_maps_of(container) };
}

void archive_free(struct archive *archive)
{
	json_decref(archive->linked);
	free(archive->buffer);
	*archive = (struct archive){ 0 };
}

/* Whether an entry of so many bytes has its place; its header is written. */
static int check_limits(const struct archive *archive, long long size, struct error *err)
{
	if (!archive->is_layer)
		return 0;
	if (archive->entries >= LAYER_ENTRIES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d entries", LAYER_ENTRIES_MAX);
	/* told before a file that is all holes fills the disk */
	if (size > LAYER_SIZE_MAX - END_MAX - archive->tar->written)
		return error_set(err, ERROR_LIMIT, "the layer is larger than %lld bytes",
				 LAYER_SIZE_MAX);
	return 0;
}

int archive_add_marker(struct archive *archive, const char *path, struct error *err)
{
	const struct stat st = { .st_mode = S_IFREG };
	const struct tar_entry entry = { .path = path, .st = &st };

	if (tar_write_header(archive->tar, &entry, err) < 0 || check_limits(archive, 0, err) < 0)
		return -1;
	archive->entries++;
	return 0;
}

struct reading {
	const struct archive *archive;
	struct tar_records *records;
	size_t count;
};

/* A PAX record's key ends at the first "=" (POSIX pax, extended header). What has one in its name
 * is written as libarchive does, and unpacks here; tools that do not know this pass it over. */
static void add_encoded(struct tar_records *records, const struct xattr *xattr)
{
	cleanup_free char *value = base64_encode(xattr->value, xattr->size);
	cleanup_buffer struct buffer key = { 0 };

	buffer_add(&key, "LIBARCHIVE.xattr.");
	for (const char *c = xattr->name; *c; c++) {
		bool plain = *c > ' ' && *c <= '~' && *c != '%' && *c != '=';
		char text[4];

		snprintf(text, sizeof text, plain ? "%c" : "%%%02X", (unsigned char)*c);
		buffer_add(&key, text);
	}
	cleanup_free char *text = buffer_take_text(&key);
	tar_add_record(records, text, value, strlen(value));
}

/* Those that unpacking keeps. */
static int add_xattr(const struct xattr *xattr, void *context, struct error *err)
{
	struct reading *reading = context;
	cleanup_free char *key = xasprintf("SCHILY.xattr.%s", xattr->name);
	size_t size = xattr->size;

	if (!xattr_is_kept(xattr->name))
		return 0;
	if (reading->archive->is_layer && ++reading->count > LAYER_ATTRIBUTES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d extended attributes",
				 LAYER_ATTRIBUTES_MAX);
	if (xattr_is_capability(xattr->name) && json_array_size(reading->archive->maps.uids) > 0)
		size = xattr_unbind_capability(xattr->value, size);
	if (strchr(xattr->name, '='))
		add_encoded(reading->records, xattr);
	else
		tar_add_record(reading->records, key, xattr->value, size);
	return 0;
}

static int write_header(const struct archive *archive, const struct tar_entry *entry,
			struct error *err)
{
	struct stat st = *entry->st;
	struct tar_entry mapped = *entry;

	st.st_uid = id_map_to_container(archive->maps.uids, st.st_uid);
	st.st_gid = id_map_to_container(archive->maps.gids, st.st_gid);
	mapped.st = &st;
	if (tar_write_header(archive->tar, &mapped, err) < 0)
		return -1;
	return check_limits(archive, S_ISREG(st.st_mode) && !entry->hard_link ? st.st_size : 0,
			    err);
}

/* Files and directories. 1, or 0 when it was removed since it was listed: here and below. */
static int write_open(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	__attribute__((cleanup(tar_records_free))) struct tar_records records = { 0 };
	struct stat st;
	cleanup_fd int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	/* what it was when it was listed, it may not be any more */
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "cannot open");
	if ((st.st_mode & S_IFMT) != (entry->st->st_mode & S_IFMT))
		return error_set(err, ERROR_TEMPORARY, "it was replaced meanwhile");
	if (xattrs_each(fd, add_xattr, &(struct reading){ archive, &records, 0 }, err) < 0)
		return -1;
	const struct tar_entry header = { .path = entry->path[0] ? entry->path : ".",
					  .st = &st,
					  .xattrs = records.bytes,
					  .xattrs_length = records.length };
	if (write_header(archive, &header, err) < 0 ||
	    (S_ISREG(st.st_mode) &&
	     tar_write_file(archive->tar, fd, st.st_size, archive->buffer, READ_CHUNK, err) < 0))
		return -1;
	return 1;
}

static int write_other(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	char target[PATH_MAX] = "";
	bool is_link = S_ISLNK(entry->st->st_mode);
	ssize_t length =
		is_link ? readlinkat(entry->dir_fd, entry->name, target, sizeof target - 1) : 0;

	if (length < 0 && errno == ENOENT)
		return 0;
	if (length < 0)
		return error_os(err, "cannot read the link");
	target[length] = '\0';
	const struct tar_entry header = { .path = entry->path,
					  .st = entry->st,
					  .link = is_link ? target : NULL };
	return write_header(archive, &header, err) < 0 ? -1 : 1;
}

static int write_new(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	return S_ISDIR(entry->st->st_mode) || S_ISREG(entry->st->st_mode)
		       ? write_open(archive, entry, err)
		       : write_other(archive, entry, err);
}

/* A file of several names is in the archive once; the others are links to the first. */
static int write_linked(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	char key[40];

	snprintf(key, sizeof key, "%llx:%llx", (unsigned long long)entry->st->st_dev,
		 (unsigned long long)entry->st->st_ino);
	const char *first = json_string_value(json_object_get(archive->linked, key));
	const struct tar_entry header = { .path = entry->path,
					  .st = entry->st,
					  .hard_link = first };
	if (first)
		return write_header(archive, &header, err) < 0 ? -1 : 1;
	int written = write_new(archive, entry, err);
	/* a name may be any bytes */
	if (written > 0)
		json_object_set_new(archive->linked, key, json_string_nocheck(entry->path));
	return written;
}

int archive_add(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	if (S_ISSOCK(entry->st->st_mode))
		return 0;

	bool has_links = !S_ISDIR(entry->st->st_mode) && entry->st->st_nlink > 1;
	int written =
		has_links ? write_linked(archive, entry, err) : write_new(archive, entry, err);
	if (written < 0)
		return -1;
	archive->entries += (size_t)written;
	return 0;
}
