/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/image_layout.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/blob_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct image_layout *image_layout_new(void)
{
	struct image_layout *state = xcalloc(1, sizeof *state);

	state->layout.fd = -1;
	state->new_files_fd = state->partials_fd = state->blobs_fd = state->gate_fd = -1;
	state->staging = (struct staging){ .fd = -1, .tmp_fd = -1, .lock_fd = -1 };
	return state;
}

void image_layout_close(struct transport *t)
{
	struct image_layout *state = t->state;

	layout_close(&state->layout);
	cleanup_fd_p(&state->blobs_fd);
	cleanup_fd_p(&state->gate_fd);
	json_decref(state->entry);
	json_decref(state->referrers);
	free(state->ref_name);
	if (state->staging.name[0])
		staging_close(&state->staging);
	if (state->store.root)
		store_close(&state->store);
	free(state);
}

/* ---- source ---- */

static int open_blob(const struct image_layout *state, const char *digest, struct error *err)
{
	if (state->blobs_fd < 0)
		return layout_open_blob(&state->layout, digest, err);
	if (digest_require(digest, err) < 0)
		return -1;
	return blob_dir_open_blob(state->blobs_fd, digest, err);
}

/* A manifest, which manifest_parse() is going to check. */
static char *read_blob(const struct image_layout *state, const char *digest, size_t *length,
		       struct error *err)
{
	cleanup_fd int fd = open_blob(state, digest, err);

	return fd < 0 ? NULL : file_read_fd(fd, MANIFEST_MAX, length, digest, err);
}

int image_layout_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
			      struct error *err)
{
	const struct image_layout *state = t->state;
	const char *wanted = digest ? digest : json_text(state->entry, "digest", "");
	const char *type = digest ? NULL : json_text(state->entry, "mediaType", NULL);
	size_t length;
	char *bytes = read_blob(state, wanted, &length, err);

	if (!bytes)
		return error_prefix(err, "%s", t->name);
	return manifest_parse(bytes, length, type, wanted, t->name, manifest, err);
}

int image_layout_open_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			   struct error *err)
{
	const struct image_layout *state = t->state;

	source->fd = open_blob(state, blob->digest, err);
	return source->fd < 0 ? error_prefix(err, "%s", t->name) : 0;
}

/* ---- destination ---- */

int image_layout_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			    struct error *err)
{
	struct image_layout *state = t->state;

	sink->fd = -1;
	sink->state = SINK_PRESENT;
	/* who has brought it may have been killed before the disk had its name */
	state->has_unsynced = state->blobs_fd < 0;
	if (state->blobs_fd >= 0 ? blob_dir_has(state->blobs_fd, blob->digest, blob->size)
				 : layout_has_blob(&state->layout, blob->digest, blob->size))
		return 0;
	sink->state = SINK_WANTED;
	sink->partials_fd = state->partials_fd;
	if (blob_sink_open_file(sink, state->new_files_fd, err) < 0)
		return error_prefix(err, "%s", t->name);
	return 0;
}

int image_layout_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			     struct error *err)
{
	struct image_layout *state = t->state;
	const struct layout *layout = &state->layout;
	const char *name = sink->temporary;

	if (blob_sink_name_file(sink, err) < 0)
		return error_prefix(err, "%s", t->name);
	if (!sink->is_on_disk && fsync(sink->fd) < 0)
		return error_os(err, "%s: blob %s", t->name, blob->digest);
	if ((state->blobs_fd >= 0
		     ? blob_dir_adopt(state->blobs_fd, sink->dir_fd, name, blob->digest, err)
		     : layout_place_blob(layout, sink->dir_fd, name, blob->digest, err)) < 0)
		return -1;
	blob_sink_keep_file(sink);
	return 0;
}

/* Writing the index costs two fsyncs, which copying what is there already need not. */
static bool is_tagged(const struct image_layout *state, const char *digest)
{
	struct error ignored;
	json_auto_t *index = layout_index(&state->layout, &ignored);
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		const char *name = layout_entry_name(entry);

		if (strcmp(json_text(entry, "digest", ""), digest) == 0 &&
		    strcmp(name ? name : "", state->ref_name ? state->ref_name : "") == 0)
			return true;
	}
	return false;
}

static int write_shared(const struct image_layout *state, const struct manifest *manifest,
			struct error *err)
{
	struct blob_sink sink = BLOB_SINK_NONE;
	int status = blob_sink_open_file(&sink, state->new_files_fd, err);

	if (status == 0)
		status = file_write_fd(sink.fd, manifest->bytes, manifest->length, "manifest", err);
	if (status == 0)
		status = blob_sink_name_file(&sink, err);
	if (status == 0)
		status = blob_dir_adopt(state->blobs_fd, sink.dir_fd, sink.temporary,
					manifest->digest, err);
	if (status == 0)
		blob_sink_keep_file(&sink);
	blob_sink_close(&sink);
	return status;
}

int image_layout_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
			      struct error *err)
{
	struct image_layout *state = t->state;
	cleanup_free char *digest = xstrdup(manifest->digest);
	json_auto_t *descriptor = manifest_descriptor(manifest);

	if (state->has_unsynced && layout_sync_blobs(&state->layout, err) < 0)
		return -1;
	state->has_unsynced = false;
	if ((state->blobs_fd >= 0 ? write_shared(state, manifest, err)
				  : layout_write_blob(&state->layout, manifest->bytes,
						      manifest->length, digest, err)) < 0)
		return -1;
	if (!is_top || is_tagged(state, manifest->digest))
		return 0;
	return layout_tag(&state->layout, state->ref_name, descriptor, err);
}
