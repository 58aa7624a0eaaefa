/* SPDX-License-Identifier: Apache-2.0 */
/* oci-archive:PATH[:REF]: an OCI image layout in a tar archive. PATH and REF are as for oci:, and
 * "-" is standard input or output. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "skopeo-c/archive_writer.h"
#include "skopeo-c/layout_entry.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
static const char *const renewed[] = { "index.json", "oci-layout", NULL };

struct oci_archive {
	struct archive *archive; /* source */
	json_t *entry;		 /* source: what the name stands for; borrowed from index */
	struct archive_writer writer;
	json_t *index;	   /* index.json; of a destination what it is going to be */
	char *ref_name;	   /* destination; NULL for none */
	json_t *referrers; /* see layout_entry_referrers() */
};

static void oci_archive_close(struct transport *t)
{
	struct oci_archive *state = t->state;

	archive_free(state->archive);
	archive_writer_close(&state->writer);
	json_decref(state->index);
	json_decref(state->referrers);
	free(state->ref_name);
	free(state);
}

static char *blob_name(const char *digest)
{
	return xasprintf("blobs/%.*s/%s", (int)strcspn(digest, ":"), digest, digest_hex(digest));
}

static json_t *read_index(const struct archive *archive, struct error *err)
{
	json_auto_t *index = archive_read_json(archive, "index.json", err);

	if (!index)
		return NULL;
	if (!json_is_array(json_object_get(index, "manifests"))) {
		error_set(err, ERROR_INTEGRITY, "%s: index.json has no list of manifests",
			  archive->path);
		return NULL;
	}
	return json_incref(index);
}

static int open_source(struct transport *t, const char *path, const char *ref,
		       const struct transport_settings *settings, struct error *err)
{
	struct oci_archive *state = t->state;

	state->archive = archive_open(path, settings->spool_directory, err);
	state->index = state->archive ? read_index(state->archive, err) : NULL;
	if (!state->index)
		return -1;
	state->entry =
		layout_entry_find(json_object_get(state->index, "manifests"), ref, t->name, err);
	if (!state->entry)
		return -1;
	t->reference = layout_entry_reference(state->entry);
	return 0;
}

static int open_destination(struct transport *t, const char *path, const char *ref,
			    struct error *err)
{
	struct oci_archive *state = t->state;

	if (layout_entry_check_name(ref, t->name, err) < 0)
		return -1;
	if (archive_writer_open(path, renewed, &state->writer, err) < 0)
		return -1;
	state->ref_name = ref ? xstrdup(ref) : NULL;
	state->index = state->writer.old ? read_index(state->writer.old, err)
					 : json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2,
						     "mediaType", MANIFEST_OCI_INDEX, "manifests");
	t->is_sequential = state->writer.is_stream;
	t->is_stdout = archive_is_stdout(path);
	return state->index ? 0 : -1;
}

static int oci_archive_open(struct transport *t, const char *rest,
			    const struct transport_settings *settings, struct error *err)
{
	const char *colon = strchr(rest, ':');
	const char *ref = colon && colon[1] ? colon + 1 : NULL;
	struct oci_archive *state = xcalloc(1, sizeof *state);

	state->writer.fd = state->writer.lock_fd = -1;
	t->state = state;
	t->name = xasprintf("oci-archive:%s", rest);
	t->path = xstrndup(rest, strcspn(rest, ":"));
	if (t->path[0] == '\0')
		return error_set(err, ERROR_USAGE, "oci-archive: needs a path");
	return settings->is_destination ? open_destination(t, t->path, ref, err)
					: open_source(t, t->path, ref, settings, err);
}

/* ---- source ---- */

static int oci_archive_get_manifest(struct transport *t, const char *digest,
				    struct manifest *manifest, struct error *err)
{
	const struct oci_archive *state = t->state;
	const char *wanted = digest ? digest : json_text(state->entry, "digest", "");
	const char *type = digest ? NULL : json_text(state->entry, "mediaType", NULL);
	size_t length;

	if (digest_require(wanted, err) < 0)
		return error_prefix(err, "%s", t->name);
	/* of a destination, what it had before */
	const struct archive *archive = state->archive ? state->archive : state->writer.old;
	cleanup_free char *name = blob_name(wanted);
	if (!archive)
		return error_set(err, ERROR_NOT_FOUND, "%s: blob %s is missing", t->name, wanted);
	char *bytes = archive_read(archive, name, MANIFEST_MAX, &length, err);
	if (!bytes)
		return -1;
	return manifest_parse(bytes, length, type, wanted, t->name, manifest, err);
}

static int oci_archive_open_blob(struct transport *t, const struct blob *blob,
				 struct blob_source *source, struct error *err)
{
	const struct oci_archive *state = t->state;
	cleanup_free char *name = blob_name(blob->digest);
	const struct archive_member *member = archive_find(state->archive, name);

	if (!member)
		return error_set(err, ERROR_NOT_FOUND, "%s: blob %s is missing", t->name,
				 blob->digest);
	return archive_source(state->archive, member, blob->digest, source, err);
}

/* ---- destination ---- */

static int oci_archive_offer_blob(struct transport *t, const struct blob *blob,
				  struct blob_sink *sink, struct error *err)
{
	struct oci_archive *state = t->state;
	cleanup_free char *name = blob_name(blob->digest);

	sink->fd = -1;
	sink->state = SINK_PRESENT;
	if (blob_is_foreign(blob))
		return 0;
	int status = archive_writer_has_blob(&state->writer, name, blob, err);
	if (status != 0)
		return status < 0 ? -1 : 0;
	return archive_writer_offer(&state->writer, name, blob->size, sink, err);
}

static int oci_archive_commit_blob(struct transport *t, const struct blob *blob,
				   struct blob_sink *sink, struct error *err)
{
	struct oci_archive *state = t->state;
	cleanup_free char *name = blob_name(blob->digest);

	(void)sink;
	return archive_writer_commit(&state->writer, name, err);
}

static int oci_archive_lend_place(struct transport *t, int *fd, struct error *err)
{
	return archive_writer_lend(&((struct oci_archive *)t->state)->writer, fd, err);
}

static int oci_archive_take_place(struct transport *t, const struct blob *blob, struct error *err)
{
	struct oci_archive *state = t->state;
	cleanup_free char *name = blob_name(blob->digest);

	return archive_writer_take(&state->writer, name, blob->size, err);
}

static int put_blob(struct oci_archive *state, const struct manifest *manifest, struct error *err)
{
	const struct blob blob = { .digest = manifest->digest,
				   .size = (json_int_t)manifest->length };
	cleanup_free char *name = blob_name(manifest->digest);
	int status = archive_writer_has_blob(&state->writer, name, &blob, err);

	if (status != 0)
		return status < 0 ? -1 : 0;
	return archive_writer_add(&state->writer, name, manifest->bytes, manifest->length, err);
}

static int oci_archive_put_manifest(struct transport *t, const struct manifest *manifest,
				    bool is_top, struct error *err)
{
	struct oci_archive *state = t->state;

	if (put_blob(state, manifest, err) < 0)
		return -1;
	if (!is_top)
		return 0;
	json_auto_t *descriptor = manifest_descriptor(manifest);
	if (layout_put_entry(json_object_get(state->index, "manifests"), state->ref_name,
			     descriptor, err) < 0)
		return -1;
	cleanup_free char *text = json_compact(state->index);
	if (archive_writer_add(&state->writer, "index.json", text, strlen(text), err) < 0 ||
	    archive_writer_add(&state->writer, "oci-layout", marker, strlen(marker), err) < 0)
		return -1;
	return archive_writer_finish(&state->writer, err);
}

static int oci_archive_list(const char *rest, const struct transport_settings *settings,
			    json_t *names, struct error *err)
{
	cleanup_free char *path = xstrndup(rest, strcspn(rest, ":"));
	struct archive *archive = archive_open(path, settings->spool_directory, err);
	json_auto_t *index = archive ? read_index(archive, err) : NULL;

	archive_free(archive);
	layout_entry_names(json_object_get(index, "manifests"), names);
	return index ? 0 : -1;
}

/* ---- what goes with images ---- */

static int list_referrers(struct transport *t, const char *digest, json_t **entries,
			  bool *keeps_list, struct error *err)
{
	struct oci_archive *state = t->state;

	(void)err;
	*keeps_list = true;
	layout_entry_referrers(t, json_object_get(state->index, "manifests"), digest,
			       &state->referrers, entries);
	return 0;
}

static int get_companion(struct transport *t, const char *tag, struct manifest *manifest,
			 struct error *err)
{
	const struct oci_archive *state = t->state;
	const json_t *entry =
		layout_entry_find(json_object_get(state->index, "manifests"), tag, t->name, err);

	return entry ? oci_archive_get_manifest(t, json_text(entry, "digest", ""), manifest, err)
		     : -1;
}

static int put_companion(struct transport *t, const char *tag, const struct manifest *manifest,
			 struct error *err)
{
	struct oci_archive *state = t->state;
	json_auto_t *entry = layout_entry_companion(manifest);

	if (put_blob(state, manifest, err) < 0)
		return -1;
	return layout_put_entry(json_object_get(state->index, "manifests"), tag, entry, err);
}

static const struct companions companions = {
	.list = list_referrers,
	.get = get_companion,
	.put = put_companion,
};

const struct transport_class transport_oci_archive = {
	.prefix = "oci-archive:",
	.wants_compressed = true,
	.identity = IDENTITY_PATH,
	.list = oci_archive_list,
	.open = oci_archive_open,
	.close = oci_archive_close,
	.get_manifest = oci_archive_get_manifest,
	.open_blob = oci_archive_open_blob,
	.offer_blob = oci_archive_offer_blob,
	.commit_blob = oci_archive_commit_blob,
	.lend_place = oci_archive_lend_place,
	.take_place = oci_archive_take_place,
	.put_manifest = oci_archive_put_manifest,
	.companions = &companions,
};
