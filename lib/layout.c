/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/layout.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
static const char empty_index[] =
	"{\"manifests\":[],\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
	"\"schemaVersion\":2}";

/* 1 or 0: an empty one is what a power cut may leave of a layout that was being made. -1 when that
 * cannot be told. */
static int has_file(const struct layout *layout, const char *name, struct error *err)
{
	struct stat st;

	if (fstatat(layout->fd, name, &st, 0) == 0)
		return st.st_size > 0;
	return errno == ENOENT ? 0 : error_os(err, "%s/%s", layout->path, name);
}

static int make_missing(const struct layout *layout, struct error *err)
{
	if ((mkdirat(layout->fd, "blobs", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(layout->fd, "blobs/sha256", 0755) < 0 && errno != EEXIST))
		return error_os(err, "%s/blobs", layout->path);
	int has_index = has_file(layout, "index.json", err);
	if (has_index < 0)
		return -1;
	if (!has_index && file_publish_at(layout->fd, "index.json", empty_index,
					  strlen(empty_index), 0644, err) < 0)
		return error_prefix(err, "%s", layout->path);
	if (file_publish_at(layout->fd, "oci-layout", marker, strlen(marker), 0644, err) < 0)
		return error_prefix(err, "%s", layout->path);
	return 0;
}

/* The marker comes last and is what makes a directory a layout, so two creators must not replace
 * it, nor the index, under each other: the directory itself is locked meanwhile. */
static int create(const struct layout *layout, struct error *err)
{
	cleanup_fd int gate =
		openat(layout->fd, ".create.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (gate < 0)
		return error_os(err, "%s", layout->path);
	if (lock_file(gate, LOCK_EXCLUSIVE, true, layout->path, err) < 0)
		return -1;
	int has_marker = has_file(layout, "oci-layout", err);
	if (has_marker < 0 || (!has_marker && make_missing(layout, err) < 0))
		return -1;
	unlinkat(layout->fd, ".create.lock", 0);
	return 0;
}

static int check_marker(const struct layout *layout, struct error *err)
{
	json_auto_t *json = json_read_at(layout->fd, "oci-layout", JSON_CONFIG_MAX, err);

	if (!json)
		return error_prefix(err, "%s", layout->path);
	if (strcmp(json_text(json, "imageLayoutVersion", ""), "1.0.0") != 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: not an OCI image layout of version 1.0.0", layout->path);
	return 0;
}

int layout_open(const char *path, bool create_it, struct layout *layout, struct error *err)
{
	cleanup_layout struct layout l = { .fd = -1 };

	if (create_it && path_make_dirs(path, 0755, err) < 0)
		return -1;
	l.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l.fd < 0)
		return error_os(err, "%s", path);
	l.path = xstrdup(path);
	int has_marker = has_file(&l, "oci-layout", err);
	if (has_marker < 0)
		return -1;
	if (!has_marker) {
		if (!create_it)
			return error_set(
				err, ERROR_NOT_FOUND,
				"%s is not an OCI image layout (it has no oci-layout file)", path);
		if (create(&l, err) < 0)
			return -1;
	} else if (create_it) {
		unlinkat(l.fd, ".create.lock", 0); /* a creator's that was killed at its end */
	}
	if (check_marker(&l, err) < 0)
		return -1;
	*layout = l;
	l = (struct layout){ .fd = -1 };
	return 0;
}

int layout_add(struct layout *layout, const char *path, struct error *err)
{
	struct layout other = { .fd = -1 };

	if (layout_open(path, false, &other, err) < 0)
		return -1;
	layout->others = xgrow(layout->others, layout->other_count, sizeof *layout->others);
	layout->others[layout->other_count++] = other;
	return 0;
}

void layout_close(struct layout *layout)
{
	for (size_t i = 0; i < layout->other_count; i++)
		layout_close(&layout->others[i]);
	free(layout->others);
	cleanup_fd_p(&layout->fd);
	free(layout->path);
	*layout = (struct layout){ .fd = -1 };
}

json_t *layout_index(const struct layout *layout, struct error *err)
{
	json_auto_t *index = json_read_at(layout->fd, "index.json", JSON_DOCUMENT_MAX, err);

	if (json_is_array(json_object_get(index, "manifests")))
		return json_incref(index);
	/* never "not found", which is for what was asked for */
	if (!index && err->os == ENOENT)
		error_set(err, ERROR_INTEGRITY, "%s/index.json is missing", layout->path);
	else if (index)
		error_set(err, ERROR_INTEGRITY, "%s/index.json: no list of manifests",
			  layout->path);
	else
		error_prefix(err, "%s", layout->path);
	error_hint(err, "an empty one is {\"schemaVersion\":2,\"manifests\":[]}");
	return NULL;
}

/* Locks are bytes of a file that is never replaced, so they need no file of their own in a
 * directory that others read. */
enum layout_lock { LAYOUT_INDEX, LAYOUT_GATE };

static int take_lock(const struct layout *layout, enum layout_lock which, enum lock_mode mode,
		     bool wait, struct error *err)
{
	int access = mode == LOCK_SHARED ? O_RDONLY : O_RDWR;
	cleanup_fd int fd = openat(layout->fd, "oci-layout", access | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s/oci-layout", layout->path);
	if (lock_byte(fd, (int)which, mode, wait, layout->path, err) < 0)
		return -1;
	return steal_fd(&fd);
}

/* The lock under which index.json is read, changed and replaced. */
static int lock_index(const struct layout *layout, struct error *err)
{
	return take_lock(layout, LAYOUT_INDEX, LOCK_EXCLUSIVE, true, err);
}

int layout_gate(const struct layout *layout, enum lock_mode mode, bool wait, struct error *err)
{
	return take_lock(layout, LAYOUT_GATE, mode, wait, err);
}

/* ---- writing index.json ---- */

/* To remove an image is what makes room where the disk is full, and takes room itself, for the
 * index without it: a store keeps some for that. */
static const char reserve_name[] = "reserve";

enum { RESERVE_STEP = 64 << 10 /* bytes */ };

/* Room for an index of that length. Not every file system can set it aside, and not a full one. */
static void keep_reserve(const struct layout *layout, size_t length)
{
	off_t size = ((off_t)length / RESERVE_STEP + 1) * RESERVE_STEP;
	struct stat st;

	if (fstatat(layout->fd, reserve_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size >= size)
		return;
	cleanup_fd int fd =
		openat(layout->fd, reserve_name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fallocate(fd, 0, 0, size) < 0)
		unlinkat(layout->fd, reserve_name, 0);
}

static bool is_full(const struct error *why)
{
	return why->os == ENOSPC || why->os == EDQUOT;
}

/* With `removes`, of entries, the reserve may be used. */
static int write_index(const struct layout *layout, const json_t *index, bool removes,
		       struct error *err)
{
	cleanup_free char *text = json_compact(index);
	size_t length = strlen(text);

	/* a larger one would never be read again */
	if (length >= JSON_DOCUMENT_MAX)
		return error_set(err, ERROR_LIMIT, "%s/index.json would be larger than %d MiB",
				 layout->path, JSON_DOCUMENT_MAX >> 20);
	int status = file_replace_at(layout->fd, "index.json", text, length, 0644, err);
	if (status < 0 && removes && layout->is_store && is_full(err) &&
	    unlinkat(layout->fd, reserve_name, 0) == 0)
		status = file_replace_at(layout->fd, "index.json", text, length, 0644, err);
	if (status < 0)
		return error_prefix(err, "%s", layout->path);
	if (layout->is_store)
		keep_reserve(layout, length);
	return 0;
}

/* ---- entries ---- */

const char *layout_entry_name(const json_t *entry)
{
	return json_text(json_object_get(entry, "annotations"), LAYOUT_REF_NAME, NULL);
}

/* Whether the new entry (name, digest) takes the place of this one. */
static bool is_superseded(const json_t *entry, const char *name, const char *digest)
{
	const char *old = layout_entry_name(entry);

	if (old)
		return name && strcmp(old, name) == 0;
	return strcmp(json_text(entry, "digest", ""), digest) == 0;
}

int layout_put_entry(json_t *manifests, const char *name, const json_t *descriptor,
		     struct error *err)
{
	json_auto_t *entry = json_deep_copy(descriptor);

	if (name) {
		json_t *annotations = json_object_get(entry, "annotations");

		if (!json_is_object(annotations))
			json_object_set_new(entry, "annotations", annotations = json_object());
		if (json_object_set_new(annotations, LAYOUT_REF_NAME, json_string(name)) < 0)
			return error_set(err, ERROR_USAGE, "the name of an image must be UTF-8");
	}
	for (size_t i = json_array_size(manifests); i-- > 0;)
		if (is_superseded(json_array_get(manifests, i), name,
				  json_text(descriptor, "digest", "")))
			json_array_remove(manifests, i);
	json_array_append(manifests, entry);
	return 0;
}

static json_t *find_entry(const json_t *manifests, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		const char *other = layout_entry_name(entry);

		if (other && strcmp(other, name) == 0)
			return entry;
	}
	return NULL;
}

static bool has_digest(const json_t *manifests, const char *digest)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		if (strcmp(json_text(entry, "digest", ""), digest) == 0)
			return true;
	}
	return false;
}

/* The image has lost `name`, and stays as if it had been pulled by its digest: containers may use
 * it, and who removes images has to see it. */
static int keep_image(json_t *manifests, const json_t *entry, const char *name, struct error *err)
{
	const char *digest = json_text(entry, "digest", "");
	size_t repository = strcspn(name, "@");
	const char *colon = strrchr(name, ':');

	if (has_digest(manifests, digest))
		return 0;
	if (!name[repository] && colon && !strchr(colon, '/'))
		repository = (size_t)(colon - name);
	cleanup_free char *kept = xasprintf("%.*s@%s", (int)repository, name, digest);
	return layout_put_entry(manifests, kept, entry, err);
}

int layout_tag(const struct layout *layout, const char *name, const json_t *descriptor,
	       struct error *err)
{
	cleanup_fd int lock = lock_index(layout, err);
	json_auto_t *index = lock < 0 ? NULL : layout_index(layout, err);
	json_t *manifests = json_object_get(index, "manifests"); /* borrowed from index */
	json_auto_t *old =
		layout->is_store && name ? json_incref(find_entry(manifests, name)) : NULL;

	if (!index || layout_put_entry(manifests, name, descriptor, err) < 0 ||
	    (old && keep_image(manifests, old, name, err) < 0))
		return -1;
	return write_index(layout, index, false, err);
}

static void add_unnamed(json_t *manifests, const json_t *unnamed)
{
	json_auto_t *known = json_object();
	const char *digest;
	json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		if (!layout_entry_name(entry))
			json_object_set_new(known, json_text(entry, "digest", ""), json_true());
	}
	json_array_foreach (unnamed, i, entry) {
		digest = json_text(entry, "digest", "");
		if (!json_object_get(known, digest))
			json_array_append(manifests, entry);
		json_object_set_new(known, digest, json_true());
	}
}

int layout_untag(const struct layout *layout, bool (*matches)(const json_t *entry, void *context),
		 void *context, const json_t *unnamed, struct error *err)
{
	cleanup_fd int lock = lock_index(layout, err);
	json_auto_t *index = lock < 0 ? NULL : layout_index(layout, err);
	int removed = 0;

	if (!index)
		return -1;

	json_t *manifests = json_object_get(index, "manifests"); /* borrowed from index */
	for (size_t i = json_array_size(manifests); i-- > 0;) {
		if (!matches(json_array_get(manifests, i), context))
			continue;
		json_array_remove(manifests, i);
		removed++;
	}
	add_unnamed(manifests, unnamed);
	if ((removed || json_array_size(unnamed) > 0) && write_index(layout, index, true, err) < 0)
		return -1;
	return removed;
}

/* ---- blobs ---- */

static char *blob_path(const char *digest)
{
	const char *colon = strchr(digest, ':');

	return xasprintf("blobs/%.*s/%s", (int)(colon - digest), digest, colon + 1);
}

bool layout_has_blob(const struct layout *layout, const char *digest, json_int_t size)
{
	struct stat st;

	if (!digest_is_valid(digest))
		return false;
	cleanup_free char *path = blob_path(digest);
	bool found = fstatat(layout->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		     S_ISREG(st.st_mode) && (size < 0 || st.st_size == size);
	for (size_t i = 0; !found && i < layout->other_count; i++)
		found = layout_has_blob(&layout->others[i], digest, size);
	return found;
}

/* The same in the other layouts; -1 where none has it. */
static int open_other_blob(const struct layout *layout, const char *digest)
{
	struct error ignored;

	for (size_t i = 0; i < layout->other_count; i++) {
		int fd = layout_open_blob(&layout->others[i], digest, &ignored);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

int layout_open_blob(const struct layout *layout, const char *digest, struct error *err)
{
	struct stat st;

	if (digest_require(digest, err) < 0)
		return -1;
	cleanup_free char *path = blob_path(digest);
	cleanup_fd int fd = path_open_beneath(layout->fd, path, O_RDONLY | O_NONBLOCK, err);

	if (fd < 0 && err->os == ENOENT) {
		fd = open_other_blob(layout, digest);
		return fd >= 0 ? steal_fd(&fd)
			       : error_set(err, ERROR_NOT_FOUND, "%s: blob %s is missing",
					   layout->path, digest);
	}
	if (fd < 0)
		return error_prefix(err, "%s", layout->path);
	if (fstat(fd, &st) < 0)
		return error_os(err, "%s: blob %s", layout->path, digest);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "%s: blob %s is not a file", layout->path,
				 digest);
	return steal_fd(&fd);
}

char *layout_read_blob(const struct layout *layout, const char *digest, size_t *length,
		       struct error *err)
{
	cleanup_fd int fd = layout_open_blob(layout, digest, err);
	cleanup_free char *text = NULL;

	if (fd < 0)
		return NULL;
	text = file_read_fd(fd, JSON_CONFIG_MAX, length, digest, err);
	if (!text || digest_check(text, *length, digest, layout->path, err) < 0)
		return NULL;
	return steal_ptr(&text);
}

json_t *layout_read_json(const struct layout *layout, const char *digest, struct error *err)
{
	size_t length;
	cleanup_free char *text = layout_read_blob(layout, digest, &length, err);

	return text ? json_parse(text, length, digest, err) : NULL;
}

static int sync_file(int dir_fd, const char *name, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_os(err, "%s", name);
	return 0;
}

static int open_blob_dir(const struct layout *layout, const char *digest, struct error *err)
{
	cleanup_free char *path =
		xasprintf("blobs/%.*s", (int)(strchr(digest, ':') - digest), digest);

	if (mkdirat(layout->fd, path, 0755) < 0 && errno != EEXIST)
		return error_os(err, "%s/%s", layout->path, path);
	return path_open_beneath(layout->fd, path, O_RDONLY | O_DIRECTORY, err);
}

/* Returns the directory of the blob. */
static int place_blob(const struct layout *layout, int dir_fd, const char *name, const char *digest,
		      struct error *err)
{
	if (digest_require(digest, err) < 0)
		return -1;
	cleanup_fd int blobs = open_blob_dir(layout, digest, err);

	if (blobs < 0)
		return error_prefix(err, "blob %s", digest);
	/* replaces a blob of that name, so one that a crash of the disk has spoiled is mended */
	if (renameat(dir_fd, name, blobs, digest_hex(digest)) < 0)
		return error_os(err, "%s: blob %s", layout->path, digest);
	return steal_fd(&blobs);
}

int layout_adopt_blob(const struct layout *layout, int dir_fd, const char *name, const char *digest,
		      struct error *err)
{
	if (sync_file(dir_fd, name, err) < 0)
		return error_prefix(err, "blob %s", digest);
	cleanup_fd int blobs = place_blob(layout, dir_fd, name, digest, err);

	return blobs < 0 ? -1 : file_sync_dir(blobs, layout->path, err);
}

int layout_place_blob(const struct layout *layout, int dir_fd, const char *name, const char *digest,
		      struct error *err)
{
	cleanup_fd int blobs = place_blob(layout, dir_fd, name, digest, err);

	return blobs < 0 ? -1 : 0;
}

int layout_sync_blobs(const struct layout *layout, struct error *err)
{
	static const char *const directories[] = { "blobs/sha256", "blobs/sha512", "blobs" };

	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		cleanup_fd int fd =
			path_open_beneath(layout->fd, directories[i], O_RDONLY | O_DIRECTORY, err);

		if (fd < 0 && err->os == ENOENT)
			continue;
		if (fd < 0 || file_sync_dir(fd, layout->path, err) < 0)
			return -1;
	}
	return 0;
}

int layout_write_blob(const struct layout *layout, const void *data, size_t length, char *digest,
		      struct error *err)
{
	if (digest[0] == '\0')
		digest_of(data, length, "sha256", digest);
	else if (digest_check(data, length, digest, "blob", err) < 0)
		return -1;
	if (layout_has_blob(layout, digest, (json_int_t)length))
		return 0;

	cleanup_fd int blobs = open_blob_dir(layout, digest, err);
	if (blobs < 0 || file_replace_at(blobs, digest_hex(digest), data, length, 0644, err) < 0)
		return error_prefix(err, "%s: blob %s", layout->path, digest);
	return 0;
}
