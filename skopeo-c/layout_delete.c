/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/layout_delete.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/blob_dir.h"
#include "skopeo-c/layout_entry.h"
#include "skopeo-c/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 8 /* of indexes in indexes */ };

struct deletion {
	char *name; /* as errors call it */
	const char *ref;
	struct layout layout;
	int gate;
	json_t *index;	     /* as it was before */
	const json_t *entry; /* of the index */
};

static void deletion_close(struct deletion *deletion)
{
	json_decref(deletion->index);
	cleanup_fd_p(&deletion->gate);
	layout_close(&deletion->layout);
	free(deletion->name);
}

#define cleanup_deletion __attribute__((cleanup(deletion_close)))

/* ---- which image ---- */

/* Containers and pulls rely on blobs of the store under its own locks. */
static int refuse_store(const struct deletion *deletion, const char *root, struct error *err)
{
	cleanup_free char *images = xasprintf("%s/images", root);
	struct stat store, layout;

	if (stat(images, &store) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			       ? 0
			       : error_os(err, "%s", images);
	if (fstat(deletion->layout.fd, &layout) < 0)
		return error_os(err, "%s", deletion->name);
	if (store.st_ino != layout.st_ino || store.st_dev != layout.st_dev)
		return 0;
	error_set(err, ERROR_IN_USE, "%s: these are the images of the store", deletion->name);
	return error_hint(err, "ctr-store rm --image removes them");
}

/* Copies into the layout rely on the blobs that they have found in it. */
static int take_gate(struct deletion *deletion, struct error *err)
{
	const struct layout *layout = &deletion->layout;
	struct error problem = { 0 };

	deletion->gate = layout_gate(layout, LOCK_EXCLUSIVE, false, &problem);
	if (deletion->gate >= 0)
		return 0;
	if (problem.kind == ERROR_IN_USE)
		log_message(LOG_LEVEL_INFO, "%s: waiting for copies to the layout to end",
			    layout->path);
	deletion->gate = layout_gate(layout, LOCK_EXCLUSIVE, true, err);
	return deletion->gate < 0 ? -1 : 0;
}

/* Whether another one has the name too. */
static bool is_ambiguous(const struct deletion *deletion, const json_t *manifests)
{
	const json_t *entry;
	size_t i;

	if (!deletion->ref || deletion->ref[0] == '@')
		return false;
	json_array_foreach (manifests, i, entry) {
		const char *name = layout_entry_name(entry);

		if (name && strcmp(name, deletion->ref) == 0 && !json_equal(entry, deletion->entry))
			return true;
	}
	return false;
}

static int find_entry(struct deletion *deletion, struct error *err)
{
	deletion->index = layout_index(&deletion->layout, err);
	if (!deletion->index)
		return -1;
	const json_t *manifests = json_object_get(deletion->index, "manifests");
	deletion->entry = layout_entry_find(manifests, deletion->ref, deletion->name, err);
	if (!deletion->entry)
		return -1;
	if (digest_require(json_text(deletion->entry, "digest", ""), err) < 0)
		return error_prefix(err, "%s", deletion->name);
	if (!is_ambiguous(deletion, manifests))
		return 0;
	error_set(err, ERROR_USAGE, "%s: the layout holds several images of that name",
		  deletion->name);
	return error_hint(err, "oci:DIR:@N is the one at position N of its index");
}

static int open_image(struct deletion *deletion, const char *place, const char *root,
		      struct error *err)
{
	const char *colon = strchr(place, ':');
	cleanup_free char *path = xstrndup(place, strcspn(place, ":"));

	deletion->name = xasprintf("oci:%s", place);
	deletion->ref = colon && colon[1] ? colon + 1 : NULL;
	if (path[0] == '\0')
		return error_set(err, ERROR_USAGE, "oci: needs a path");
	if (layout_open(path, false, &deletion->layout, err) < 0 ||
	    refuse_store(deletion, root, err) < 0 || take_gate(deletion, err) < 0)
		return -1;
	return find_entry(deletion, err);
}

/* ---- what images need ---- */

/* `needed` has the digests: true for manifests that were read, false for what was only named. */
static void need_blob(json_t *needed, const char *digest)
{
	if (!json_object_get(needed, digest))
		json_object_set_new(needed, digest, json_false());
}

static int read_manifest(const struct layout *layout, const char *digest, struct manifest *manifest,
			 struct error *err)
{
	size_t length;
	char *bytes = layout_read_blob(layout, digest, &length, err);

	if (!bytes)
		return -1;
	if (manifest_parse(bytes, length, NULL, digest, layout->path, manifest, err) < 0)
		return -1;
	if (manifest->is_schema1)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: manifests of type \"%s\" are not supported", layout->path,
				 manifest->media_type);
	return 0;
}

static void need_content(json_t *needed, const struct manifest *manifest)
{
	const json_t *layers = json_object_get(manifest->json, "layers");
	cleanup_free struct blob *blobs = xcalloc(1 + json_array_size(layers), sizeof *blobs);
	size_t count = 0;

	manifest_add_blobs(manifest, blobs, &count);
	for (size_t i = 0; i < count; i++)
		need_blob(needed, blobs[i].digest);
}

static int need_manifest(const struct layout *layout, const char *digest, int depth, json_t *needed,
			 struct error *err)
{
	cleanup_manifest struct manifest manifest = { 0 };
	struct error problem = { 0 };
	const json_t *entry;
	size_t i;

	if (json_is_true(json_object_get(needed, digest)))
		return 0;
	if (depth > DEPTH_MAX)
		return error_set(err, ERROR_LIMIT, "%s: indexes are nested deeper than %d levels",
				 layout->path, DEPTH_MAX);
	if (read_manifest(layout, digest, &manifest, &problem) < 0) {
		/* an index may be there without the images of all platforms */
		if (problem.kind != ERROR_NOT_FOUND || depth == 0) {
			*err = problem;
			return -1;
		}
		need_blob(needed, digest);
		return 0;
	}
	json_object_set_new(needed, digest, json_true());
	if (!manifest.is_index)
		need_content(needed, &manifest);
	json_array_foreach (json_object_get(manifest.json, "manifests"), i, entry) {
		if (need_manifest(layout, json_text(entry, "digest", ""), depth + 1, needed, err) <
		    0)
			return -1;
	}
	return 0;
}

/* What only the image needs; the caller owns it. */
static json_t *find_useless(const struct deletion *deletion, struct error *err)
{
	const struct layout *layout = &deletion->layout;
	json_auto_t *mine = json_object(), *others = json_object();
	const json_t *entry;
	const char *digest;
	json_t *ignored;
	size_t i;

	if (need_manifest(layout, json_text(deletion->entry, "digest", ""), 0, mine, err) < 0)
		return NULL;
	json_array_foreach (json_object_get(deletion->index, "manifests"), i, entry) {
		if (json_equal(entry, deletion->entry))
			continue;
		if (need_manifest(layout, json_text(entry, "digest", ""), 0, others, err) < 0) {
			error_hint(err, "what the other images of the layout need is not known");
			return NULL;
		}
	}
	json_object_foreach (others, digest, ignored) {
		json_object_del(mine, digest);
	}
	return json_incref(mine);
}

/* ---- the deletion ---- */

static bool is_entry(const json_t *entry, void *wanted)
{
	return json_equal(entry, wanted);
}

static int untag(const struct deletion *deletion, struct error *err)
{
	json_auto_t *wanted = json_deep_copy(deletion->entry);
	int removed = layout_untag(&deletion->layout, is_entry, wanted, NULL, err);

	return removed == 0  ? error_set(err, ERROR_TEMPORARY,
					 "%s: another tool has changed the index meanwhile",
					 deletion->name)
	       : removed < 0 ? -1
			     : 0;
}

/* 1 with the bytes that it had added to *size; 0 where it was not there. */
static int remove_blob(const struct layout *layout, const char *digest, json_int_t *size,
		       struct error *err)
{
	cleanup_free char *directory = xasprintf("blobs/%.*s", (int)strcspn(digest, ":"), digest);
	cleanup_fd int fd = path_open_beneath(layout->fd, directory, O_RDONLY | O_DIRECTORY, err);
	const char *name = digest_hex(digest);
	struct stat st;

	if (fd < 0)
		return err->os == ENOENT ? 0 : error_prefix(err, "%s", layout->path);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(fd, name, 0) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s: blob %s", layout->path, digest);
	*size += st.st_size;
	return 1;
}

static int remove_blobs(const struct layout *layout, json_t *useless, json_int_t *count,
			json_int_t *size, struct error *err)
{
	const char *digest;
	json_t *ignored;

	json_object_foreach (useless, digest, ignored) {
		int status = remove_blob(layout, digest, size, err);

		if (status < 0)
			return -1;
		*count += status;
	}
	return 0;
}

json_t *layout_delete(const char *place, const char *blob_dir, const char *root, struct error *err)
{
	cleanup_deletion struct deletion deletion = { .layout = { .fd = -1 }, .gate = -1 };
	cleanup_fd int blobs_fd = blob_dir ? blob_dir_open(blob_dir, false, err) : -1;
	json_int_t count = 0, size = 0;

	if ((blob_dir && blobs_fd < 0) || open_image(&deletion, place, root, err) < 0)
		return NULL;
	/* other layouts may need what they share */
	json_auto_t *useless = blob_dir ? json_object() : find_useless(&deletion, err);
	if (!useless)
		return NULL;
	const char *digest = json_text(deletion.entry, "digest", "");
	const char *what = json_object_get(useless, digest) ? "manifest" : "tag";
	/* first the name: what a kill leaves is blobs without one */
	if (untag(&deletion, err) < 0 ||
	    remove_blobs(&deletion.layout, useless, &count, &size, err) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", deletion.name, "digest", digest,
			 "deleted", what, "blobs", count, "size", size);
}
