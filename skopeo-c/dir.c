/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir:PATH: a plain directory, as skopeo lays it out: manifest.json, the blobs by the hex of their
 * digests, HEX.manifest.json for the images of an index, and a file `version`. A destination's
 * manifest.json comes last; before it no reader takes the directory for the new image. What was
 * made is removed again when the copy fails; what an earlier copy left, when this one is done.
 * New signatures stand behind those of the old image until then: whichever of the two the directory
 * holds, its own are among them, and the others say of themselves that they are for another one.
 */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char version_text[] = "Directory Transport Version: 1.1\n";

/* Signatures of a manifest that were put behind older ones. */
struct added {
	char digest[DIGEST_SIZE];
	bool is_top;
	int older, count;
};

struct dir {
	int fd;
	char *path;
	char top[DIGEST_SIZE];	/* source: the digest of manifest.json once it was read, or "" */
	bool made;		/* the directory itself is ours */
	bool finished;		/* manifest.json is in place */
	struct strings files;	/* all files of the new image */
	struct strings created; /* those of them that were not there before */
	struct added *added;
	size_t added_count;
};

static void remove_created(const struct dir *dir)
{
	for (size_t i = 0; i < dir->created.count; i++)
		unlinkat(dir->fd, dir->created.items[i], 0);
	if (dir->made)
		rmdir(dir->path);
}

static void dir_close(struct transport *t)
{
	struct dir *dir = t->state;

	if (dir->fd >= 0 && !dir->finished)
		remove_created(dir);
	cleanup_fd_p(&dir->fd);
	strings_free(&dir->files);
	strings_free(&dir->created);
	free(dir->added);
	free(dir->path);
	free(dir);
}

/* A directory with something else in it is not ours to fill. */
static int check_empty_or_ours(const struct dir *dir, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (faccessat(dir->fd, "version", F_OK, 0) == 0)
		return 0;
	if (directory_names(dir->fd, ".", &names) < 0)
		return error_os(err, "%s", dir->path);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], ".version.", 9) != 0 &&
		    !partial_is_name(names.items[i]))
			return error_set(err, ERROR_EXISTS,
					 "%s holds other files and is not a dir: image", dir->path);
	return 0;
}

/* Remember a file of the new image, before it is made. */
static void note(struct dir *dir, const char *name)
{
	strings_add(&dir->files, name);
	if (faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		strings_add(&dir->created, name);
}

static int write_file(struct transport *t, const char *name, const void *data, size_t length,
		      struct error *err)
{
	struct dir *dir = t->state;

	note(dir, name);
	if (file_replace_at(dir->fd, name, data, length, 0644, err) < 0)
		return error_prefix(err, "%s", t->name);
	return 0;
}

static int dir_open(struct transport *t, const char *rest,
		    const struct transport_settings *settings, struct error *err)
{
	struct dir *dir = xcalloc(1, sizeof *dir);

	dir->fd = -1;
	dir->finished = !settings->is_destination;
	dir->path = xstrdup(rest);
	t->state = dir;
	t->name = xasprintf("dir:%s", rest);
	t->path = xstrdup(rest);
	if (rest[0] == '\0')
		return error_set(err, ERROR_USAGE, "dir: needs a path");
	if (settings->is_destination) {
		dir->made = access(rest, F_OK) < 0 && errno == ENOENT;
		if (path_make_dirs(rest, 0755, err) < 0)
			return -1;
	}
	dir->fd = open(rest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return error_os(err, "%s", rest);
	if (!settings->is_destination)
		return 0;
	unfinished_sweep(dir->fd);
	/* `version` comes first: it makes the directory ours also when we are killed */
	if (check_empty_or_ours(dir, err) < 0)
		return -1;
	return write_file(t, "version", version_text, strlen(version_text), err);
}

/* ---- source ---- */

static int open_file(const struct transport *t, const char *name, struct error *err)
{
	const struct dir *dir = t->state;
	cleanup_fd int fd = path_open_beneath(dir->fd, name, O_RDONLY | O_NONBLOCK, err);
	struct stat st;

	if (fd < 0)
		return error_prefix(err, "%s", t->name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "%s: %s is not a file", t->name, name);
	return steal_fd(&fd);
}

static char *instance_name(const char *digest)
{
	return xasprintf("%s.manifest.json", digest_hex(digest));
}

static int dir_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
			    struct error *err)
{
	struct dir *dir = t->state;
	bool is_top = !digest || strcmp(digest, dir->top) == 0;
	cleanup_free char *name = is_top ? xstrdup("manifest.json") : instance_name(digest);
	cleanup_fd int fd = open_file(t, name, err);
	size_t length;
	char *bytes = fd < 0 ? NULL : file_read_fd(fd, MANIFEST_MAX, &length, name, err);

	if (!bytes)
		return -1;
	if (manifest_parse(bytes, length, NULL, digest, t->name, manifest, err) < 0)
		return -1;
	if (!digest)
		memcpy(dir->top, manifest->digest, sizeof dir->top);
	return 0;
}

static char *signature_name(const char *digest, bool is_top, int number)
{
	return is_top ? xasprintf("signature-%d", number)
		      : xasprintf("%s.signature-%d", digest_hex(digest), number);
}

static bool has_file(const struct transport *t, const char *name)
{
	const struct dir *dir = t->state;

	return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* signature-1 and so on, without a gap. */
static int dir_get_signatures(struct transport *t, const struct manifest *manifest, bool bundles,
			      struct signatures *signatures, struct error *err)
{
	const struct dir *dir = t->state;
	bool is_top = strcmp(dir->top, manifest->digest) == 0;

	(void)bundles;
	for (int number = 1;; number++) {
		cleanup_free char *name = signature_name(manifest->digest, is_top, number);
		cleanup_signature struct signature signature = { 0 };
		size_t length;

		if (!has_file(t, name))
			return 0;
		cleanup_fd int fd = open_file(t, name, err);
		cleanup_free char *bytes =
			fd < 0 ? NULL : file_read_fd(fd, SIGNATURE_MAX, &length, name, err);
		if (!bytes || signature_from_file(bytes, length, name, &signature, err) < 0 ||
		    signatures_add(signatures, &signature, err) < 0)
			return error_prefix(err, "%s", t->name);
	}
}

static int dir_open_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err)
{
	source->fd = open_file(t, digest_hex(blob->digest), err);
	return source->fd < 0 ? -1 : 0;
}

/* ---- destination ---- */

static int dir_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			  struct error *err)
{
	struct dir *dir = t->state;
	struct stat st;

	sink->fd = -1;
	note(dir, digest_hex(blob->digest));
	sink->state = SINK_PRESENT;
	if (fstatat(dir->fd, digest_hex(blob->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size == blob->size)
		return 0;
	sink->state = SINK_WANTED;
	sink->partials_fd = dir->fd;
	if (blob_sink_open_file(sink, dir->fd, err) < 0)
		return error_prefix(err, "%s", t->name);
	return 0;
}

static int dir_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			   struct error *err)
{
	const struct dir *dir = t->state;

	if (blob_sink_name_file(sink, err) < 0)
		return error_prefix(err, "%s", t->name);
	if (fsync(sink->fd) < 0 ||
	    renameat(dir->fd, sink->temporary, dir->fd, digest_hex(blob->digest)) < 0)
		return error_os(err, "%s: blob %s", t->name, blob->digest);
	blob_sink_keep_file(sink);
	return 0;
}

static bool is_new_file(const struct dir *dir, const char *name)
{
	for (size_t i = 0; i < dir->files.count; i++)
		if (strcmp(dir->files.items[i], name) == 0)
			return true;
	return false;
}

/* True for names that a dir: image has, whose files may go with it. */
static bool is_image_file(const char *name)
{
	size_t hex = strspn(name, "0123456789abcdef");

	if (strncmp(name, "signature-", 10) == 0)
		return true;
	return (hex == 64 || hex == 128) &&
	       (!name[hex] || strcmp(name + hex, ".manifest.json") == 0 ||
		strncmp(name + hex, ".signature-", 11) == 0);
}

static void remove_old_files(const struct dir *dir)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(dir->fd, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (is_image_file(names.items[i]) && !is_new_file(dir, names.items[i]))
			unlinkat(dir->fd, names.items[i], 0);
}

static int count_signatures(const struct transport *t, const char *digest, bool is_top)
{
	for (int count = 0;; count++) {
		cleanup_free char *name = signature_name(digest, is_top, count + 1);

		if (!has_file(t, name))
			return count;
	}
}

static int dir_put_signatures(struct transport *t, const struct manifest *manifest, bool is_top,
			      const struct signatures *signatures, struct error *err)
{
	struct dir *dir = t->state;
	struct added added = { .is_top = is_top, .count = (int)signatures->count };

	memcpy(added.digest, manifest->digest, sizeof added.digest);
	added.older = count_signatures(t, added.digest, is_top);
	for (int i = 0; i < added.count; i++) {
		cleanup_free char *name = signature_name(added.digest, is_top, added.older + i + 1);
		cleanup_free char *stays = signature_name(added.digest, is_top, i + 1);
		size_t length;
		cleanup_free char *bytes = signature_to_file(&signatures->items[i], &length);

		if (write_file(t, name, bytes, length, err) < 0)
			return -1;
		strings_add(&dir->files, stays);
	}
	dir->added = xgrow(dir->added, dir->added_count, sizeof added);
	dir->added[dir->added_count++] = added;
	return 0;
}

/* The new manifest is there: let its signatures take the places of the older ones, the last one
 * first, so that there is never a gap, behind which nobody looks. */
static int settle_signatures(const struct dir *dir, struct error *err)
{
	for (size_t i = 0; i < dir->added_count; i++) {
		const struct added *added = &dir->added[i];
		int last = added->older + added->count;

		for (int n = 1; n <= added->older && n <= added->count; n++) {
			cleanup_free char *from =
				signature_name(added->digest, added->is_top, last + 1 - n);
			cleanup_free char *to = signature_name(added->digest, added->is_top, n);

			if (renameat(dir->fd, from, dir->fd, to) < 0)
				return error_os(err, "%s: %s", dir->path, to);
		}
	}
	return 0;
}

static int dir_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
			    struct error *err)
{
	struct dir *dir = t->state;
	cleanup_free char *name = instance_name(manifest->digest);

	if (!is_top)
		return write_file(t, name, manifest->bytes, manifest->length, err);
	if (write_file(t, "manifest.json", manifest->bytes, manifest->length, err) < 0)
		return -1;
	dir->finished = true;
	if (settle_signatures(dir, err) < 0)
		return -1;
	remove_old_files(dir);
	return 0;
}

const struct transport_class transport_dir = {
	.prefix = "dir:",
	.identity = IDENTITY_PATH,
	.open = dir_open,
	.close = dir_close,
	.get_manifest = dir_get_manifest,
	.open_blob = dir_open_blob,
	.offer_blob = dir_offer_blob,
	.commit_blob = dir_commit_blob,
	.put_manifest = dir_put_manifest,
	.get_signatures = dir_get_signatures,
	.put_signatures = dir_put_signatures,
};
