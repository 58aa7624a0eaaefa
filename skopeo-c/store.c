/* SPDX-License-Identifier: Apache-2.0 */
/* store:[NAME]: our own store, ROOT/images (DESIGN 3). A destination without NAME takes the
 * source's. Blobs come to be in a staging directory, whose references keep `ctr-store gc` from
 * removing what no entry of the index names yet. */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/image_layout.h"
#include "skopeo-c/layout_entry.h"
#include "skopeo-c/plan.h"

#include <stdlib.h>

/* The name under which an image is kept: a full reference with a tag or, else, a digest. */
static char *full_name(const char *text, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(text, &reference, err) < 0)
		return NULL;
	reference_settle(&reference);
	return reference_text(&reference);
}

/* The store's own layout, made where `create` says so, and after it those of the stores that are
 * read besides. */
static int open_layouts(const char *root, bool create, struct layout *layout, struct error *err)
{
	cleanup_strings struct strings roots = { 0 };
	cleanup_free char *own = xasprintf("%s/images", root);

	if (store_additional(root, NULL, &roots, NULL, err) < 0)
		return -1;
	bool open = layout_open(own, create, layout, err) == 0;
	if (!open && (err->kind != ERROR_NOT_FOUND || roots.count == 0))
		return -1;
	for (size_t i = 0; i < roots.count; i++, open = true) {
		cleanup_free char *path = xasprintf("%s/images", roots.items[i]);

		if ((open ? layout_add(layout, path, err) : layout_open(path, false, layout, err)) <
		    0)
			return error_prefix(err, "additional store %s", roots.items[i]);
	}
	layout->is_store = true;
	return 0;
}

static int open_source(struct transport *t, struct image_layout *state, const char *name,
		       const struct transport_settings *settings, struct error *err)
{
	if (name[0] == '\0')
		return error_set(err, ERROR_USAGE, "store: as a source needs a name");
	if (open_layouts(settings->cli->root, false, &state->layout, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		/* a store that nothing was ever put into */
		error_set(err, ERROR_NOT_FOUND, "no image \"%s\" in %s", name, settings->cli->root);
		return error_subject(err, name);
	}
	state->entry = layout_resolve(&state->layout, name, err);
	if (!state->entry)
		return -1;
	const char *ref_name = layout_entry_name(state->entry);
	t->reference = ref_name ? xstrdup(ref_name) : NULL;
	return 0;
}

static int open_destination(struct transport *t, struct image_layout *state, const char *name,
			    const struct transport_settings *settings, struct error *err)
{
	const char *wanted = name[0] ? name : settings->reference;

	if (!wanted) {
		error_set(err, ERROR_USAGE, "the image has no name of its own");
		return error_hint(err, "give one: store:NAME");
	}
	state->ref_name = full_name(wanted, err);
	if (!state->ref_name || store_open(settings->cli, &state->store, err) < 0)
		return -1;
	t->reference = xstrdup(state->ref_name);
	if (open_layouts(state->store.root, true, &state->layout, err) < 0 ||
	    staging_open(&state->store, &state->staging, err) < 0)
		return -1;
	state->new_files_fd = state->staging.fd;
	state->partials_fd = state->store.tmp_fd;
	return 0;
}

static int store_transport_open(struct transport *t, const char *rest,
				const struct transport_settings *settings, struct error *err)
{
	struct image_layout *state = image_layout_new();

	t->state = state;
	t->name = xasprintf("store:%s", rest);
	return settings->is_destination ? open_destination(t, state, rest, settings, err)
					: open_source(t, state, rest, settings, err);
}

/* Let the digests stay once they are there, and keep the manifest that the copy is about, under its
 * digest only. */
static int store_prepare(struct transport *t, const json_t *digests, const struct plan *plan,
			 struct error *err)
{
	const struct image_layout *state = t->state;

	if (staging_refer(&state->staging, digests, err) < 0)
		return -1;
	return image_layout_put_manifest(t, plan->image ? plan->image : plan_top(plan), false, err);
}

static int store_list(const char *rest, const struct transport_settings *settings, json_t *names,
		      struct error *err)
{
	cleanup_free char *path = xasprintf("%s/images", settings->cli->root);
	cleanup_layout struct layout layout = { .fd = -1 };

	(void)rest; /* there is only one */
	if (layout_open(path, false, &layout, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1; /* nothing was ever put into it */
	json_auto_t *index = layout_index(&layout, err);
	layout_entry_names(json_object_get(index, "manifests"), names);
	return index ? 0 : -1;
}

const struct transport_class transport_store = {
	.prefix = "store:",
	.identity = IDENTITY_REFERENCE,
	.drops_signatures = true, /* they were asked for when the image came */
	.wants_compressed = true,
	.list = store_list,
	.open = store_transport_open,
	.close = image_layout_close,
	.get_manifest = image_layout_get_manifest,
	.open_blob = image_layout_open_blob,
	.prepare = store_prepare,
	.offer_blob = image_layout_offer_blob,
	.commit_blob = image_layout_commit_blob,
	.put_manifest = image_layout_put_manifest,
};
