/* SPDX-License-Identifier: Apache-2.0 */
/* oci:PATH[:REF]: a directory that is an OCI image layout. PATH ends at the first colon; REF is
 * the org.opencontainers.image.ref.name of an entry, or "@N" for entry N of a source. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/blob_dir.h"
#include "skopeo-c/image_layout.h"
#include "skopeo-c/layout_entry.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/unfinished.h"

#include <stdlib.h>
#include <string.h>

static int open_source(struct transport *t, struct image_layout *state, const char *path,
		       const char *ref, struct error *err)
{
	if (layout_open(path, false, &state->layout, err) < 0)
		return -1;
	json_auto_t *index = layout_index(&state->layout, err);
	if (!index)
		return -1;
	const json_t *manifests = json_object_get(index, "manifests");
	json_t *entry = layout_entry_find(manifests, ref, t->name, err);
	if (!entry)
		return -1;
	state->entry = json_deep_copy(entry);
	t->reference = layout_entry_reference(entry);
	return 0;
}

static int oci_open(struct transport *t, const char *rest,
		    const struct transport_settings *settings, struct error *err)
{
	const char *colon = strchr(rest, ':');
	cleanup_free char *path = colon ? xstrndup(rest, (size_t)(colon - rest)) : xstrdup(rest);
	const char *ref = colon && colon[1] ? colon + 1 : NULL;
	struct image_layout *state = image_layout_new();

	t->state = state;
	t->name = xasprintf("oci:%s", rest);
	if (path[0] == '\0')
		return error_set(err, ERROR_USAGE, "oci: needs a path");
	t->path = xstrdup(path);
	if (settings->blob_dir) {
		state->blobs_fd = blob_dir_open(settings->blob_dir, settings->is_destination, err);
		if (state->blobs_fd < 0)
			return -1;
	}
	if (!settings->is_destination)
		return open_source(t, state, path, ref, err);
	if (layout_entry_check_name(ref, t->name, err) < 0)
		return -1;
	if (layout_open(path, true, &state->layout, err) < 0)
		return -1;
	state->gate_fd = layout_gate(&state->layout, LOCK_SHARED, true, err);
	if (state->gate_fd < 0)
		return -1;
	state->ref_name = ref ? xstrdup(ref) : NULL;
	state->new_files_fd = state->blobs_fd >= 0 ? state->blobs_fd : state->layout.fd;
	state->partials_fd = state->new_files_fd;
	unfinished_sweep(state->new_files_fd);
	return 0;
}

static int oci_list(const char *rest, const struct transport_settings *settings, json_t *names,
		    struct error *err)
{
	cleanup_free char *path = xstrndup(rest, strcspn(rest, ":"));
	cleanup_layout struct layout layout = { .fd = -1 };

	(void)settings;
	if (layout_open(path, false, &layout, err) < 0)
		return -1;
	json_auto_t *index = layout_index(&layout, err);
	layout_entry_names(json_object_get(index, "manifests"), names);
	return index ? 0 : -1;
}

/* Who reads the layout gets those that must not be given away where their URLs say. */
static int oci_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			  struct error *err)
{
	if (!blob_is_foreign(blob))
		return image_layout_offer_blob(t, blob, sink, err);
	sink->fd = -1;
	sink->state = SINK_PRESENT;
	return 0;
}

/* ---- what goes with images ---- */

static int list_referrers(struct transport *t, const char *digest, json_t **entries,
			  bool *keeps_list, struct error *err)
{
	struct image_layout *state = t->state;
	json_auto_t *index = layout_index(&state->layout, err);

	if (!index)
		return -1;
	*keeps_list = true;
	layout_entry_referrers(t, json_object_get(index, "manifests"), digest, &state->referrers,
			       entries);
	return 0;
}

static int get_companion(struct transport *t, const char *tag, struct manifest *manifest,
			 struct error *err)
{
	const struct image_layout *state = t->state;
	json_auto_t *index = layout_index(&state->layout, err);
	const json_t *entry =
		index ? layout_entry_find(json_object_get(index, "manifests"), tag, t->name, err)
		      : NULL;

	return entry ? image_layout_get_manifest(t, json_text(entry, "digest", ""), manifest, err)
		     : -1;
}

static int put_companion(struct transport *t, const char *tag, const struct manifest *manifest,
			 struct error *err)
{
	const struct image_layout *state = t->state;
	json_auto_t *entry = layout_entry_companion(manifest);

	if (image_layout_put_manifest(t, manifest, false, err) < 0)
		return -1;
	return layout_tag(&state->layout, tag, entry, err);
}

static const struct companions companions = {
	.list = list_referrers,
	.get = get_companion,
	.put = put_companion,
};

const struct transport_class transport_oci = {
	.prefix = "oci:",
	.identity = IDENTITY_PATH,
	.wants_compressed = true,
	.list = oci_list,
	.open = oci_open,
	.close = image_layout_close,
	.get_manifest = image_layout_get_manifest,
	.open_blob = image_layout_open_blob,
	.offer_blob = oci_offer_blob,
	.commit_blob = image_layout_commit_blob,
	.put_manifest = image_layout_put_manifest,
	.companions = &companions,
};
