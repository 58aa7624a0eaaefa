/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/layout-entry.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *annotation(const json_t *entry, const char *key)
{
	return json_text(json_object_get(entry, "annotations"), key, NULL);
}

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

static json_t *find(const json_t *manifests, const char *ref)
{
	json_t *entry;
	char *end;
	size_t i;

	if (!ref)
		return json_array_size(manifests) == 1 ? json_array_get(manifests, 0) : NULL;
	if (ref[0] == '@') {
		unsigned long position = strtoul(ref + 1, &end, 10);

		return *end || !ref[1] ? NULL : json_array_get(manifests, position);
	}
	json_array_foreach (manifests, i, entry) {
		const char *name = annotation(entry, LAYOUT_REF_NAME);

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
	const char *full = annotation(entry, "io.containerd.image.name");
	const char *name = annotation(entry, LAYOUT_REF_NAME);

	if (full)
		return xstrdup(full);
	/* often the name is only a tag */
	return name && strpbrk(name, "/:") ? xstrdup(name) : NULL;
}

static bool is_superseded(const json_t *entry, const char *name, const char *digest)
{
	const char *old = annotation(entry, LAYOUT_REF_NAME);

	if (old)
		return name && strcmp(old, name) == 0;
	return strcmp(json_text(entry, "digest", ""), digest) == 0;
}

void layout_entry_put(json_t *manifests, const char *name, const json_t *descriptor)
{
	json_t *entry = json_deep_copy(descriptor);

	for (size_t i = json_array_size(manifests); i-- > 0;)
		if (is_superseded(json_array_get(manifests, i), name,
				  json_text(descriptor, "digest", "")))
			json_array_remove(manifests, i);
	if (name)
		json_object_set_new(entry, "annotations",
				    json_pack("{s:s}", LAYOUT_REF_NAME, name));
	json_array_append_new(manifests, entry);
}

void layout_entry_names(const json_t *manifests, json_t *names)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		const char *name = annotation(entry, LAYOUT_REF_NAME);
		cleanup_free char *position = xasprintf("@%zu", i);

		json_array_append_new(names, json_string(name ? name : position));
	}
}
