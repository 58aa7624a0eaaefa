/* SPDX-License-Identifier: Apache-2.0 */
/* What a LinuxContainerSecurityContext says of users, capabilities and files. */
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/user.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"
#include "oci-gen/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An id of the document as text. */
static int id_text(const char *what, json_int_t id, char *text, size_t size, struct error *err)
{
	unsigned checked;

	snprintf(text, size, "%lld", (long long)id);
	if (user_parse_id(text, &checked, err) == 0)
		return 0;
	err->kind = ERROR_INTEGRITY;
	return error_prefix(err, "the document's %s", what);
}

/* The user, by number or name; its group, unless that is given, and its groups are looked up. */
static int apply_user(struct generation *g, const json_t *context, struct error *err)
{
	const json_t *user = json_object_get(context, "runAsUser");
	const json_t *group = json_object_get(context, "runAsGroup");
	const char *name = json_text(context, "runAsUsername", NULL);
	char number[24];

	if (user && name)
		return error_set(err, ERROR_INTEGRITY,
				 "the document's runAsUser and runAsUsername exclude each other");
	if (group && !user && !name)
		return error_set(err, ERROR_INTEGRITY,
				 "the document's runAsGroup needs runAsUser or runAsUsername");
	if (name && strchr(name, ':'))
		return error_set(err, ERROR_INTEGRITY,
				 "the document's runAsUsername is not a name");
	if (user && id_text("runAsUser", cri_number(user, "value"), number, sizeof number, err) < 0)
		return -1;
	if (group && id_text("runAsGroup", cri_number(group, "value"), g->cri_gid,
			     sizeof g->cri_gid, err) < 0)
		return -1;
	if (user || name) {
		free(g->user);
		g->user = xstrdup(user ? number : name);
	}
	if (group)
		g->gid = g->cri_gid;
	return 0;
}

static int apply_groups(struct generation *g, const json_t *context, struct error *err)
{
	const json_t *group;
	char number[24];
	size_t i;

	g->strict_groups =
		strcmp(json_text(context, "supplementalGroupsPolicy", "Merge"), "Strict") == 0;
	json_array_foreach (json_object_get(context, "supplementalGroups"), i, group) {
		if (id_text("supplementalGroups", json_integer_value(group), number, sizeof number,
			    err) < 0)
			return -1;
		json_array_append(pointer_array(g->config, "/process/user/additionalGids"),
				  (json_t *)group);
	}
	return 0;
}

static bool lists(const json_t *names, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (names, i, item) {
		const char *other = json_string_value(item);

		if (strncasecmp(other, "CAP_", 4) == 0)
			other += 4;
		if (strcasecmp(other, strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name) == 0)
			return true;
	}
	return false;
}

/* One that is both added and dropped is dropped, also ALL, which stands back behind single ones. */
static int apply_capabilities(struct generation *g, const json_t *capabilities, struct error *err)
{
	static const struct {
		const char *key;
		unsigned sets;
	} added[] = { { "addCapabilities", ORDINARY_SETS },
		      { "addAmbientCapabilities", ALL_SETS } };
	const json_t *dropped = json_object_get(capabilities, "dropCapabilities"), *item;
	size_t i;

	json_array_foreach (dropped, i, item) {
		if (capabilities_drop(&g->capabilities, ALL_SETS, json_string_value(item), err) < 0)
			return -1;
	}
	for (size_t row = 0; row < sizeof added / sizeof *added; row++) {
		json_array_foreach (json_object_get(capabilities, added[row].key), i, item) {
			const char *name = json_string_value(item);

			if (lists(dropped, name))
				continue;
			if (capabilities_add(&g->capabilities, added[row].sets, name, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Both lists are whole: CRI cannot tell an empty one from one that is not given, and a pod that
 * asks for an unmasked /proc sends empty ones. */
static void apply_paths(struct generation *g, const json_t *context)
{
	json_t *masked = json_object_get(context, "maskedPaths");
	json_t *readonly = json_object_get(context, "readonlyPaths");

	pointer_set(g->config, "/linux/maskedPaths", masked ? json_incref(masked) : json_array());
	pointer_set(g->config, "/linux/readonlyPaths",
		    readonly ? json_incref(readonly) : json_array());
}

/* What a security context says beside confinement. */
static int apply_context(struct generation *g, const json_t *context, struct error *err)
{
	if (json_flag(context, "readonlyRootfs"))
		pointer_set(g->config, "/root/readonly", json_true());
	if (json_flag(context, "noNewPrivs"))
		pointer_set(g->config, "/process/noNewPrivileges", json_true());
	if (apply_user(g, context, err) < 0 || apply_groups(g, context, err) < 0)
		return -1;
	if (!context)
		return 0;
	if (json_flag(context, "privileged")) {
		template_privileged(g->config);
		return capabilities_add(&g->capabilities, ORDINARY_SETS, "ALL", err);
	}
	apply_paths(g, context);
	return apply_capabilities(g, json_object_get(context, "capabilities"), err);
}

int cri_apply_security(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *context = json_path(cri, "container", "linux", "securityContext", NULL);

	if (apply_context(g, context, err) == 0 && cri_apply_confinement(g, cri, context, err) == 0)
		return 0;
	if (err->kind == ERROR_USAGE)
		err->kind = ERROR_INTEGRITY; /* a name in the document, not an option */
	return -1;
}
