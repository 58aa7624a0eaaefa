/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/tree_manifest.h"

#include "ctr-store/tree_walk.h"
#include "ctr-store/xattrs.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_CHUNK = 256 << 10 };

/* One path and what is there: hashes are as good as the things themselves. */
struct item {
	char *path;
	char digest[DIGEST_SIZE];
};

struct manifest {
	struct item *items;
	size_t count;
	json_t *linked;	       /* first path of each inode that has several names */
	unsigned char *buffer; /* READ_CHUNK bytes */
};

static void manifest_free(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++)
		free(manifest->items[i].path);
	free(manifest->items);
	free(manifest->buffer);
	json_decref(manifest->linked);
}

static void hash_text(struct hasher *hasher, const char *text)
{
	hasher_update(hasher, text, strlen(text) + 1);
}

static int hash_content(struct manifest *manifest, int fd, struct hasher *hasher, struct error *err)
{
	ssize_t got;

	while ((got = read(fd, manifest->buffer, READ_CHUNK)) > 0)
		hasher_update(hasher, manifest->buffer, (size_t)got);
	return got < 0 ? error_os(err, "cannot read") : 0;
}

static void hash_numbers(const struct stat *st, struct hasher *hasher)
{
	/* a whiteout is our own making, and has the time of that */
	bool is_whiteout = tree_is_whiteout(st);
	bool is_dir = S_ISDIR(st->st_mode);
	struct timespec mtime = { 0 };
	char text[160];

	if (!is_dir && !is_whiteout)
		mtime = st->st_mtim;
	snprintf(text, sizeof text, "%o %u %u %lld %llu %lld.%ld", st->st_mode, st->st_uid,
		 st->st_gid, is_dir ? 0 : (long long)st->st_size, (unsigned long long)st->st_rdev,
		 (long long)mtime.tv_sec, mtime.tv_nsec);
	hash_text(hasher, text);
}

/* Files and directories, the only ones that have extended attributes here. */
static int hash_open(struct manifest *manifest, const struct tree_entry *entry,
		     struct hasher *hasher, struct error *err)
{
	cleanup_fd int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "cannot open");
	if (S_ISREG(entry->st->st_mode) && hash_content(manifest, fd, hasher, err) < 0)
		return -1;
	return xattrs_each(fd, xattr_hash, hasher, err);
}

/* True when the file was seen before under another name, which then says it all. */
static bool hash_earlier_name(struct manifest *manifest, const struct tree_entry *entry,
			      struct hasher *hasher)
{
	char key[24];

	if (S_ISDIR(entry->st->st_mode) || entry->st->st_nlink < 2)
		return false;
	snprintf(key, sizeof key, "%llx", (unsigned long long)entry->st->st_ino);

	const json_t *first = json_object_get(manifest->linked, key);
	if (first) {
		hash_text(hasher, json_string_value(first));
		return true;
	}
	cleanup_free char *number = xasprintf("%zu", manifest->count);
	json_object_set_new(manifest->linked, key, json_string(number));
	return false;
}

static int hash_entry(struct manifest *manifest, const struct tree_entry *entry,
		      struct hasher *hasher, struct error *err)
{
	char target[PATH_MAX];

	hash_numbers(entry->st, hasher);
	if (hash_earlier_name(manifest, entry, hasher))
		return 0;
	if (S_ISREG(entry->st->st_mode) || S_ISDIR(entry->st->st_mode))
		return hash_open(manifest, entry, hasher, err);
	if (!S_ISLNK(entry->st->st_mode))
		return 0;
	ssize_t length = readlinkat(entry->dir_fd, entry->name, target, sizeof target);
	if (length < 0)
		return error_os(err, "cannot read the link");
	hasher_update(hasher, target, (size_t)length);
	return 0;
}

static int add_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	struct manifest *manifest = context;
	cleanup_hasher struct hasher hasher = { 0 };
	struct item item = { 0 };

	hasher_start(&hasher, "sha256");
	if (hash_entry(manifest, entry, &hasher, err) < 0)
		return error_prefix(err, "%s", entry->path);
	hasher_finish(&hasher, item.digest);
	item.path = xstrdup(entry->path);
	manifest->items = xgrow(manifest->items, manifest->count, sizeof *manifest->items);
	manifest->items[manifest->count++] = item;
	return 0;
}

static int manifest_read(int fd, struct manifest *manifest, struct error *err)
{
	manifest->linked = json_object();
	manifest->buffer = xcalloc(1, READ_CHUNK);
	return tree_walk(fd, add_entry, manifest, err);
}

static char *difference(const struct manifest *one, const struct manifest *other)
{
	for (size_t i = 0;; i++) {
		const struct item *a = i < one->count ? &one->items[i] : NULL;
		const struct item *b = i < other->count ? &other->items[i] : NULL;

		if (!a && !b)
			return NULL;
		/* the name that comes first is the one that the other lacks */
		if (!a || !b || strcmp(a->path, b->path) != 0)
			return xstrdup(!b || (a && strcmp(a->path, b->path) < 0) ? a->path
										 : b->path);
		if (strcmp(a->digest, b->digest) != 0)
			return xstrdup(a->path[0] ? a->path : "/");
	}
}

int tree_compare(int one_fd, int other_fd, char **path, struct error *err)
{
	__attribute__((cleanup(manifest_free))) struct manifest one = { 0 }, other = { 0 };

	if (manifest_read(one_fd, &one, err) < 0 || manifest_read(other_fd, &other, err) < 0)
		return -1;
	*path = difference(&one, &other);
	return *path == NULL;
}
