/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/layout_entry.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/referrers_tag.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

static void no_entry(const char *ref, const char *what, size_t count, struct error *err)
{
	if (ref)
		error_set(err, ERROR_NOT_FOUND, "%s: no image of that name in the layout", what);
	else if (count == 0)
		error_set(err, ERROR_NOT_FOUND, "%s: the layout holds no image", what);
	else
		error_set(err, ERROR_USAGE,
			  "%s: the layout holds %zu images: say which, oci:PATH:REF", what, count);
	error_subject(err, what);
}

/* What goes with an image: an artifact, or what cosign has made. */
static bool is_companion(const json_t *entry)
{
	const char *name = layout_entry_name(entry);
	cleanup_free char *subject = name ? referrers_tag_subject(name) : NULL;

	return name ? subject != NULL : json_object_get(entry, "artifactType") != NULL;
}

/* As skopeo has it (containers/image, oci/internal): words, and between them a separator. */
static bool is_name(const char *text)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (;;) {
		size_t length = strspn(text, letters);

		text += length;
		if (length == 0 || *text == '\0')
			return length > 0;
		if (!strchr("-._:@+/", *text))
			return false;
		text += strncmp(text, "--", 2) == 0 ? 2 : 1;
	}
}

int layout_entry_check_name(const char *ref, const char *what, struct error *err)
{
	if (ref && ref[0] == '@')
		return error_set(err, ERROR_USAGE, "%s: \"@N\" can only name a source", what);
	if (!ref || is_name(ref))
		return 0;
	error_set(err, ERROR_USAGE, "%s: \"%s\" cannot name an image in a layout", what, ref);
	return error_hint(err, "letters and digits, with one of -._:@+/ or -- between them");
}

static json_t *find_only(const json_t *manifests)
{
	json_t *entry, *found = NULL;
	size_t i;

	if (json_array_size(manifests) == 1)
		return json_array_get(manifests, 0);
	json_array_foreach (manifests, i, entry) {
		if (is_companion(entry))
			continue;
		if (found)
			return NULL;
		found = entry;
	}
	return found;
}

static json_t *find(const json_t *manifests, const char *ref)
{
	json_t *entry;
	char *end;
	size_t i;

	if (!ref)
		return find_only(manifests);
	if (ref[0] == '@') {
		unsigned long position = strtoul(ref + 1, &end, 10);

		return *end || !ref[1] ? NULL : json_array_get(manifests, position);
	}
	json_array_foreach (manifests, i, entry) {
		const char *name = layout_entry_name(entry);

		if (name && strcmp(name, ref) == 0)
			return entry;
	}
	return NULL;
}

json_t *layout_entry_find(const json_t *manifests, const char *ref, const char *what,
			  struct error *err)
{
	json_t *entry = find(manifests, ref);

	if (!entry)
		no_entry(ref, what, json_array_size(manifests), err);
	return entry;
}

char *layout_entry_reference(const json_t *entry)
{
	const char *full =
		json_text(json_object_get(entry, "annotations"), "io.containerd.image.name", NULL);
	const char *name = layout_entry_name(entry);

	if (full)
		return xstrdup(full);
	/* often the name is only a tag */
	return name && strpbrk(name, "/:") ? xstrdup(name) : NULL;
}

void layout_entry_names(const json_t *manifests, json_t *names)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		const char *name = layout_entry_name(entry);
		cleanup_free char *position = xasprintf("@%zu", i);

		json_array_append_new(names, json_string(name ? name : position));
	}
}

static void note_referrer(json_t *referrers, const struct manifest *manifest)
{
	const char *subject = json_text(json_object_get(manifest->json, "subject"), "digest", NULL);

	if (!subject)
		return;
	json_t *list = json_object_get(referrers, subject);
	if (!list)
		json_object_set_new(referrers, subject, list = json_array());
	json_array_append_new(list, referrer_descriptor(manifest));
}

static json_t *find_referrers(struct transport *t, const json_t *manifests)
{
	json_t *referrers = json_object();
	const json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		cleanup_manifest struct manifest manifest = { 0 };
		struct error ignored; /* what cannot be read is about nothing */

		if (t->class->get_manifest(t, json_text(entry, "digest", ""), &manifest,
					   &ignored) == 0)
			note_referrer(referrers, &manifest);
	}
	return referrers;
}

void layout_entry_referrers(struct transport *t, const json_t *manifests, const char *digest,
			    json_t **known, json_t **entries)
{
	if (!*known)
		*known = find_referrers(t, manifests);
	const json_t *found = json_object_get(*known, digest);
	*entries = found ? json_deep_copy(found) : json_array();
}

json_t *layout_entry_companion(const struct manifest *manifest)
{
	json_t *descriptor = referrer_descriptor(manifest);

	json_object_del(descriptor, "annotations");
	return descriptor;
}
