/* SPDX-License-Identifier: Apache-2.0 */
/* The version that a CDI file claims, which must be known and have all that the file has: else what
 * we take for one thing may mean another. The Go library passes over the same files. */
#include "lib/json.h"
#include "oci-gen/cdi.h"

#include <ctype.h>
#include <string.h>

static bool any_has(const json_t *list, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (json_object_get(item, key))
			return true;
	}
	return false;
}

static bool has_mount_type(const json_t *edits)
{
	return any_has(json_object_get(edits, "mounts"), "type");
}

static bool has_host_path(const json_t *edits)
{
	return any_has(json_object_get(edits, "deviceNodes"), "hostPath");
}

static bool has_rdt_or_groups(const json_t *edits)
{
	return json_object_get(edits, "intelRdt") || json_object_get(edits, "additionalGids");
}

static bool has_net_or_schemata(const json_t *edits)
{
	const json_t *rdt = json_object_get(edits, "intelRdt");

	return json_object_get(edits, "netDevices") || json_object_get(rdt, "schemata") ||
	       json_object_get(rdt, "enableMonitoring");
}

static bool has_number_for_name(const json_t *spec)
{
	const json_t *device;
	size_t i;

	json_array_foreach (json_object_get(spec, "devices"), i, device) {
		if (isdigit((unsigned char)*json_text(device, "name", "")))
			return true;
	}
	return false;
}

/* Annotations, or a class with a dot. */
static bool has_annotations(const json_t *spec)
{
	const char *class = strchr(json_text(spec, "kind", ""), '/');

	return json_object_get(spec, "annotations") ||
	       any_has(json_object_get(spec, "devices"), "annotations") ||
	       (class && strchr(class, '.'));
}

/* From the first that is still supported, with what needs it: in the changes to a container, and in
 * the file. */
static const struct version {
	const char *name;
	bool (*in_edits)(const json_t *edits);
	bool (*in_spec)(const json_t *spec);
} versions[] = {
	{ "0.3.0", NULL, NULL },
	{ "0.4.0", has_mount_type, NULL },
	{ "0.5.0", has_host_path, has_number_for_name },
	{ "0.6.0", NULL, has_annotations },
	{ "0.7.0", has_rdt_or_groups, NULL },
	{ "0.8.0", NULL, NULL },
	{ "1.0.0", NULL, NULL },
	{ "1.1.0", has_net_or_schemata, NULL },
};

enum { VERSIONS = sizeof versions / sizeof *versions };

static bool is_needed(const struct version *version, const json_t *spec)
{
	const json_t *device;
	size_t i;

	if (version->in_spec && version->in_spec(spec))
		return true;
	if (!version->in_edits)
		return false;
	json_array_foreach (json_object_get(spec, "devices"), i, device) {
		if (version->in_edits(json_object_get(device, "containerEdits")))
			return true;
	}
	return version->in_edits(json_object_get(spec, "containerEdits"));
}

int cdi_check_version(const json_t *spec, struct error *err)
{
	const char *text = json_text(spec, "cdiVersion", ""), *name = text + (*text == 'v');
	size_t claimed = 0;

	while (claimed < VERSIONS && strcmp(versions[claimed].name, name) != 0)
		claimed++;
	if (claimed == VERSIONS)
		return error_set(err, ERROR_UNSUPPORTED, "cdiVersion \"%s\" is none of %s to %s",
				 text, versions[0].name, versions[VERSIONS - 1].name);
	for (size_t i = claimed + 1; i < VERSIONS; i++)
		if (is_needed(&versions[i], spec))
			return error_set(err, ERROR_INTEGRITY,
					 "cdiVersion %s lacks what the file has from %s", text,
					 versions[i].name);
	return 0;
}
