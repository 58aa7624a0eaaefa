/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/upper.h"

#include "ctr-store/overlay.h"
#include "ctr-store/root_directory.h"
#include "ctr-store/tar_writer.h"
#include "ctr-store/tree_walk.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/path.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { READ_CHUNK = 256 << 10, XATTR_LIST_LIMIT = 64 << 10, XATTR_VALUE_LIMIT = 64 << 10 };

static const char whiteout_prefix[] = ".wh.";

struct upper {
	int fd;
	int lower_fd; /* the layers beneath, merged: a mount that is attached nowhere */
};

static void upper_close(const struct upper *upper)
{
	cleanup_fd_p(&upper->fd);
	cleanup_fd_p(&upper->lower_fd);
}

/* With the look of the image's "/", as a read-only mount of it has. */
static int open_lower(const struct store *store, const json_t *container, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	const json_t *id;
	size_t i;

	json_array_foreach (json_object_get(container, "layers"), i, id) {
		strings_add(&layers, json_is_string(id) ? json_string_value(id) : "?");
	}
	if (root_directory_add(store, &layers, err) < 0)
		return -1;
	const struct overlay overlay = { .layers = &layers,
					 .source = "ocid:diff",
					 .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	return gate < 0 ? -1 : overlay_open(store, &overlay, err);
}

static int upper_open(const struct store *store, const json_t *container, struct upper *upper,
		      struct error *err)
{
	cleanup_free char *path = xasprintf("%s/upper", json_text(container, "id", ""));
	cleanup_fd int fd =
		openat(store->containers_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "container %s", path);
	int lower_fd = open_lower(store, container, err);
	if (lower_fd < 0)
		return -1;
	*upper = (struct upper){ steal_fd(&fd), lower_fd };
	return 0;
}

/* What the layers have at the path; false when nothing. */
static bool find_lower(const struct upper *upper, const char *path, struct stat *st)
{
	struct error ignored;
	cleanup_fd int fd =
		path[0] ? path_open_beneath(upper->lower_fd, path, O_PATH | O_NOFOLLOW, 0, &ignored)
			: openat(upper->lower_fd, ".", O_PATH | O_CLOEXEC);

	return fd >= 0 && fstatat(fd, "", st, AT_EMPTY_PATH) == 0;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Whether nothing of the layers shows in the directory. */
static bool is_opaque(const struct tree_entry *entry)
{
	char value;
	cleanup_fd int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static bool same_look(const struct stat *one, const struct stat *other)
{
	return one->st_mode == other->st_mode && one->st_uid == other->st_uid &&
	       one->st_gid == other->st_gid;
}

/* ---- changes ---- */

struct listing {
	const struct upper *upper;
	json_t *list;
};

static void list(const struct listing *listing, const char *path, const char *kind, bool opaque)
{
	cleanup_free char *full = xasprintf("/%s", path);
	json_t *change = json_pack("{s:s, s:s}", "path", full, "kind", kind);

	/* JSON holds no name that is not UTF-8 */
	for (char *c = full; !change && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	if (!change)
		change = json_pack("{s:s, s:s}", "path", full, "kind", kind);
	if (opaque)
		json_object_set_new(change, "opaque", json_true());
	json_array_append_new(listing->list, change);
}

static int list_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	const struct listing *listing = context;
	struct stat lower;
	bool there = find_lower(listing->upper, entry->path, &lower);
	bool is_dir = S_ISDIR(entry->st->st_mode);
	bool opaque = is_dir && entry->path[0] && is_opaque(entry);

	(void)err;
	if (is_whiteout(entry->st)) {
		if (there)
			list(listing, entry->path, "removed", false);
		return 0;
	}
	/* a directory may be here only for what is in it */
	if (is_dir && there && !opaque && same_look(entry->st, &lower) &&
	    (!entry->path[0] || (entry->st->st_mtim.tv_sec == lower.st_mtim.tv_sec &&
				 entry->st->st_mtim.tv_nsec == lower.st_mtim.tv_nsec)))
		return 0;
	list(listing, entry->path, there ? "changed" : "added", opaque && there);
	return 0;
}

json_t *upper_changes(const struct store *store, const json_t *container, struct error *err)
{
	__attribute__((cleanup(upper_close))) struct upper upper = { -1, -1 };
	json_auto_t *changes = json_array();
	struct listing listing = { &upper, changes };

	if (upper_open(store, container, &upper, err) < 0 ||
	    tree_walk(upper.fd, list_entry, &listing, err) < 0)
		return NULL;
	return json_incref(changes);
}

/* ---- archive ---- */

struct archive {
	const struct upper *upper;
	struct tar_writer *tar;
	size_t entries;
	json_t *linked; /* first path of each inode that has several names */
	char *buffer;	/* READ_CHUNK bytes */
};

/* A marker file beside or in a directory of the archive. */
static int write_marker(struct archive *archive, const char *path, size_t directory_length,
			const char *prefix, const char *name, struct error *err)
{
	const struct stat st = { .st_mode = S_IFREG };
	cleanup_free char *marker = xasprintf("%.*s%s%s%s", (int)directory_length, path,
					      directory_length ? "/" : "", prefix, name);
	const struct tar_entry entry = { .path = marker, .st = &st };

	archive->entries++;
	return tar_write_header(archive->tar, &entry, err);
}

static int write_whiteout(struct archive *archive, const struct tree_entry *entry,
			  struct error *err)
{
	struct stat lower;
	size_t length = strlen(entry->path) - strlen(entry->name);

	if (!find_lower(archive->upper, entry->path, &lower))
		return 0;
	return write_marker(archive, entry->path, length ? length - 1 : 0, whiteout_prefix,
			    entry->name, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Those that unpacking keeps: user.* and file capabilities. */
static int read_xattrs(int fd, struct tar_records *records, struct error *err)
{
	cleanup_free char *names = xcalloc(1, XATTR_LIST_LIMIT);
	cleanup_free char *value = xcalloc(1, XATTR_VALUE_LIMIT);
	cleanup_strings struct strings sorted = { 0 };
	ssize_t length = flistxattr(fd, names, XATTR_LIST_LIMIT);

	if (length < 0)
		return errno == EOPNOTSUPP ? 0 : error_os(err, "extended attributes");
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		if (strcmp(name, "security.capability") == 0 ||
		    (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0))
			strings_add(&sorted, name);
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_names);
	for (size_t i = 0; i < sorted.count; i++) {
		ssize_t size = fgetxattr(fd, sorted.items[i], value, XATTR_VALUE_LIMIT);
		cleanup_free char *key = xasprintf("SCHILY.xattr.%s", sorted.items[i]);

		if (size < 0)
			return error_os(err, "extended attribute %s", sorted.items[i]);
		tar_add_record(records, key, value, (size_t)size);
	}
	return 0;
}

static int write_content(struct archive *archive, int fd, long long size, struct error *err)
{
	while (size > 0) {
		size_t want = size < READ_CHUNK ? (size_t)size : READ_CHUNK;
		ssize_t got = read(fd, archive->buffer, want);

		if (got < 0)
			return error_os(err, "cannot read");
		if (got == 0)
			return error_set(err, ERROR_TEMPORARY, "it was cut short meanwhile");
		if (tar_write(archive->tar, archive->buffer, (size_t)got, err) < 0)
			return -1;
		size -= got;
	}
	return tar_pad(archive->tar, err);
}

/* Files and directories. */
static int write_open(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	__attribute__((cleanup(tar_records_free))) struct tar_records records = { 0 };
	struct stat st;
	cleanup_fd int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	/* what it was when it was listed, it may not be any more */
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "cannot open");
	if ((st.st_mode & S_IFMT) != (entry->st->st_mode & S_IFMT))
		return error_set(err, ERROR_TEMPORARY, "it was replaced meanwhile");
	if (read_xattrs(fd, &records, err) < 0)
		return -1;
	const struct tar_entry header = { .path = entry->path[0] ? entry->path : ".",
					  .st = &st,
					  .xattrs = records.bytes,
					  .xattrs_length = records.length };
	if (tar_write_header(archive->tar, &header, err) < 0)
		return -1;
	return S_ISREG(st.st_mode) ? write_content(archive, fd, st.st_size, err) : 0;
}

/* 1 when the file is in the archive already, under another name. */
static int write_hard_link(struct archive *archive, const struct tree_entry *entry,
			   struct error *err)
{
	char key[24];

	if (S_ISDIR(entry->st->st_mode) || entry->st->st_nlink < 2)
		return 0;
	snprintf(key, sizeof key, "%llx", (unsigned long long)entry->st->st_ino);

	const char *first = json_string_value(json_object_get(archive->linked, key));
	if (!first) {
		/* a name may be any bytes */
		json_object_set_new(archive->linked, key, json_string_nocheck(entry->path));
		return 0;
	}
	const struct tar_entry header = { .path = entry->path,
					  .st = entry->st,
					  .hard_link = first };
	return tar_write_header(archive->tar, &header, err) < 0 ? -1 : 1;
}

static int write_other(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	char target[PATH_MAX] = "";
	bool is_link = S_ISLNK(entry->st->st_mode);
	ssize_t length =
		is_link ? readlinkat(entry->dir_fd, entry->name, target, sizeof target - 1) : 0;

	if (length < 0)
		return error_os(err, "cannot read the link");
	target[length] = '\0';
	const struct tar_entry header = { .path = entry->path,
					  .st = entry->st,
					  .link = is_link ? target : NULL };
	return tar_write_header(archive->tar, &header, err);
}

static int write_entry(struct archive *archive, const struct tree_entry *entry, struct error *err)
{
	bool is_dir = S_ISDIR(entry->st->st_mode);
	struct stat lower;

	if (S_ISSOCK(entry->st->st_mode))
		return 0; /* it means nothing without its process */
	if (!entry->path[0] && find_lower(archive->upper, "", &lower) &&
	    same_look(entry->st, &lower))
		return 0;
	if (is_whiteout(entry->st))
		return write_whiteout(archive, entry, err);
	if (strncmp(entry->name, whiteout_prefix, strlen(whiteout_prefix)) == 0)
		return error_set(err, ERROR_UNSUPPORTED, "a layer cannot hold such a name");

	int linked = write_hard_link(archive, entry, err);
	archive->entries++;
	if (linked)
		return linked < 0 ? -1 : 0;
	if (!is_dir && !S_ISREG(entry->st->st_mode))
		return write_other(archive, entry, err);
	if (write_open(archive, entry, err) < 0)
		return -1;
	/* the layers may have nothing there, or something else: then there is nothing to hide */
	return is_dir && entry->path[0] && is_opaque(entry) &&
			       find_lower(archive->upper, entry->path, &lower) &&
			       S_ISDIR(lower.st_mode)
		       ? write_marker(archive, entry->path, strlen(entry->path), "", ".wh..wh..opq",
				      err)
		       : 0;
}

static int archive_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	return write_entry(context, entry, err) < 0 ? error_prefix(err, "/%s", entry->path) : 0;
}

int upper_archive(const struct store *store, const json_t *container, struct tar_writer *tar,
		  size_t *entries, struct error *err)
{
	__attribute__((cleanup(upper_close))) struct upper upper = { -1, -1 };
	cleanup_free char *buffer = xcalloc(1, READ_CHUNK);
	json_auto_t *linked = json_object();
	struct archive archive = {
		.upper = &upper, .tar = tar, .linked = linked, .buffer = buffer
	};

	if (upper_open(store, container, &upper, err) < 0 ||
	    tree_walk(upper.fd, archive_entry, &archive, err) < 0)
		return -1;
	*entries = archive.entries;
	return 0;
}
