/* SPDX-License-Identifier: Apache-2.0 */
/* The last of making a configuration: what several sources decide together is put together. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/user.h"
#include "oci-gen/cdi.h"
#include "oci-gen/generation.h"
#include "oci-gen/mounts.h"
#include "oci-gen/network.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"
#include "oci-gen/seccomp.h"
#include "oci-gen/versions.h"
#include "oci-gen/volumes.h"

static int finish_args(struct generation *g, struct error *err)
{
	json_t *args = json_array();

	json_array_extend(args, g->entrypoint);
	json_array_extend(args, g->command);
	pointer_set(g->config, "/process/args", args);
	if (json_array_size(args) > 0)
		return 0;
	error_set(err, ERROR_USAGE, "%s names no command",
		  g->from_template ? "the template" : "the image");
	return error_hint(err, "give one as operand");
}

static void finish_environment(struct generation *g)
{
	json_t *list = pointer_array(g->config, "/process/env"), *value;
	const char *name;

	json_object_foreach (g->environment, name, value) {
		json_array_append(list, value);
	}
	if (json_is_true(pointer_get(g->config, "/process/terminal")) &&
	    !json_object_get(g->environment, "TERM"))
		json_array_append_new(list, json_string("TERM=xterm"));
}

/* The groups that were found for the user, then those that options add. */
static void merge_groups(json_t *user, json_t *found)
{
	json_t *groups = json_array(), *given, *id;
	size_t i, j;

	json_array_extend(groups, json_object_get(found, "additionalGids"));
	json_array_foreach (json_object_get(user, "additionalGids"), i, given) {
		bool known = false;

		json_array_foreach (groups, j, id) {
			known |= json_equal(id, given);
		}
		if (!known)
			json_array_append(groups, given);
	}
	if (json_array_size(groups) > 0)
		json_object_set(user, "additionalGids", groups);
	json_decref(groups);
}

/* A number that replaces what was found; it was checked when it was given. */
static int override_id(json_t *user, const char *key, const char *text, struct error *err)
{
	unsigned id;

	if (!text)
		return 0;
	if (user_parse_id(text, &id, err) < 0)
		return -1;
	json_object_set_new(user, key, json_integer(id));
	return 0;
}

static int finish_user(struct generation *g, struct error *err)
{
	cleanup_free char *root = generation_root(g);

	if (!g->user && !g->uid && !g->gid)
		return 0;

	json_t *user = pointer_object(g->config, "/process/user");
	if (g->user) {
		json_auto_t *found = user_lookup(root, g->user, err);

		/* whoever named the user, the name is wrong; a missing root is another matter */
		if (!found &&
		    (err->kind == ERROR_USAGE || (err->kind == ERROR_NOT_FOUND && !err->os)))
			err->kind = g->user_given ? ERROR_USAGE : ERROR_INTEGRITY;
		if (!found)
			return -1;
		json_object_set(user, "uid", json_object_get(found, "uid"));
		json_object_set(user, "gid", json_object_get(found, "gid"));
		if (!g->strict_groups)
			merge_groups(user, found);
	}
	if (override_id(user, "uid", g->uid, err) < 0 || override_id(user, "gid", g->gid, err) < 0)
		return -1;
	if (g->user)
		user_add_primary_group(user);
	return 0;
}

/* Devices of vendors: their files change the environment, mounts, hooks and more. */
static int finish_devices(struct generation *g, struct error *err)
{
	const json_t *item;
	size_t i;

	if (json_array_size(g->cdi_devices) == 0)
		return 0;

	json_auto_t *list = cdi_find(g->cdi_devices, g->cdi_directories, err);
	if (!list)
		return -1;
	json_array_foreach (list, i, item) {
		if (cdi_apply(g, json_object_get(item, "edits"), err) < 0)
			return error_prefix(err, "%s", json_text(item, "file", ""));
	}
	return 0;
}

static void finish_mounts(struct generation *g)
{
	json_t *mount;
	size_t i;

	json_array_foreach (g->mounts, i, mount) {
		generation_put_mount(g, json_incref(mount));
	}
	if (!g->from_template || g->mounts_added)
		pointer_set(g->config, "/mounts", mounts_sorted(pointer_get(g->config, "/mounts")));
}

/* The filter from its source, then what options change about it. */
static int finish_seccomp(struct generation *g, uint64_t capabilities, struct error *err)
{
	json_t *filter = NULL, *edit;
	size_t i;

	if (g->seccomp &&
	    seccomp_make(g->seccomp, capabilities, &g->seccomp_lists, &filter, err) < 0)
		return -1;
	if (g->seccomp)
		pointer_remove(g->config, "/linux/seccomp");
	if (filter)
		pointer_set(g->config, "/linux/seccomp", filter);
	if (g->trace || json_array_size(g->seccomp_edits) > 0)
		generation_config(g);
	if (json_array_size(g->seccomp_edits) == 0)
		return 0;
	if (!pointer_get(g->config, "/linux/seccomp"))
		pointer_set(g->config, "/linux/seccomp", seccomp_open());
	json_array_foreach (g->seccomp_edits, i, edit) {
		if (seccomp_edit(pointer_get(g->config, "/linux/seccomp"),
				 json_string_value(json_array_get(edit, 0)),
				 json_string_value(json_array_get(edit, 1)), err) < 0)
			return -1;
	}
	return 0;
}

/* The capabilities, and the filter that follows from them. */
static int finish_privileges(struct generation *g, struct error *err)
{
	if (capabilities_check(&g->capabilities, err) < 0)
		return -1;
	if (g->capabilities.changed || !g->from_template)
		pointer_set(g->config, "/process/capabilities",
			    capabilities_json(&g->capabilities));
	return finish_seccomp(g, capabilities_resolve(&g->capabilities, SET_BOUNDING), err);
}

/* Members that came after the version we claim, with the one that brought them. */
static void finish_version(struct generation *g)
{
	if (g->from_template || g->version_given)
		return;
	for (const struct version_member *m = version_members; m->pointer; m++)
		if (version_is_used(g->config, m))
			pointer_set(g->config, "/ociVersion", json_string(m->version));
}

int generation_finish(struct generation *g, struct error *err)
{
	if (finish_args(g, err) < 0 || finish_user(g, err) < 0 || finish_devices(g, err) < 0 ||
	    finish_privileges(g, err) < 0)
		return -1;
	finish_environment(g);
	volumes_apply(g);
	network_finish(g);
	finish_mounts(g);
	finish_version(g);
	/* a default name is no reason to insist on a namespace that was taken away */
	if (!g->hostname_given && !rules_has_namespace(g->config, "uts", NULL))
		pointer_remove(g->config, "/hostname");
	return 0;
}
