/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/check.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/staging.h"

enum { NESTING_MAX = 4 };

/* One entry of the index. */
struct subject {
	struct check *check;
	const char *id; /* its name, else its digest */
	const json_t *platform;
};

/* The blob is there, whole, and as large as the descriptor says; notes it if not. */
static bool check_descriptor(const struct subject *subject, const json_t *descriptor)
{
	const char *digest = json_text(descriptor, "digest", "");
	const json_t *size = json_object_get(descriptor, "size");
	const char *problem = NULL;

	if (!digest_is_valid(digest))
		problem = "is not a digest";
	else if (!layout_has_blob(&subject->check->layout, digest, -1))
		problem = "is missing";
	else if (json_object_get(subject->check->damaged, digest))
		problem = "is damaged";
	else if (json_is_integer(size) &&
		 !layout_has_blob(&subject->check->layout, digest, json_integer_value(size)))
		problem = "has not the size that the manifest says";
	if (!problem)
		return true;
	cleanup_free char *text = xasprintf("blob %s %s", digest, problem);
	check_found(subject->check, "image", subject->id, text, NULL);
	return false;
}

/* Of an index only what is for this machine must be here. */
static void check_manifest(const struct subject *subject, const json_t *descriptor, int nesting)
{
	const struct layout *layout = &subject->check->layout;
	const json_t *layer;
	struct error why;
	size_t i;

	if (!check_descriptor(subject, descriptor))
		return;
	json_auto_t *manifest = layout_read_json(layout, json_text(descriptor, "digest", ""), &why);
	if (!manifest) {
		check_found(subject->check, "image", subject->id, why.message, NULL);
		return;
	}
	if (json_is_array(json_object_get(manifest, "manifests"))) {
		const json_t *chosen =
			layout_choose_platform(manifest, subject->platform, subject->id, &why);

		if (chosen && nesting < NESTING_MAX)
			check_manifest(subject, chosen, nesting + 1);
		return;
	}
	check_descriptor(subject, json_object_get(manifest, "config"));
	json_array_foreach (json_object_get(manifest, "layers"), i, layer) {
		check_descriptor(subject, layer);
	}
}

int check_images(struct check *check, struct error *err)
{
	/* nobody removes an image while its parts are looked for */
	cleanup_fd int gate = staging_gate(check->store, LOCK_SHARED, err);
	json_auto_t *index = gate < 0 ? NULL : layout_index(&check->layout, err);
	json_auto_t *platform = layout_platform();
	const json_t *entry;
	size_t i;

	if (!index)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		const char *name = layout_entry_name(entry);
		const struct subject subject = { check,
						 name ? name : json_text(entry, "digest", "?"),
						 platform };

		check_manifest(&subject, entry, 0);
	}
	return 0;
}
