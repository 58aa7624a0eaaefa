/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about mounts and paths. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <limits.h>
#include <string.h>

static bool has_option(const json_t *mount, const char *wanted)
{
	return json_has_text(json_object_get(mount, "options"), wanted);
}

bool rules_is_bind(const json_t *mount)
{
	return strcmp(json_text(mount, "type", ""), "bind") == 0 || has_option(mount, "bind") ||
	       has_option(mount, "rbind");
}

/* Relative destinations came with 1.2; runtimes before it take them from /. */
static void check_relative(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		const char *path = json_text(mount, "destination", "/");

		if (*path && *path != '/')
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "should be an absolute path");
	}
}

static void check_root(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		const char *path = json_text(mount, "destination", NULL);

		if (path && *path == '/' && path[strspn(path, "/")] == '\0')
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "would hide the root file system");
	}
}

static void check_source(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		if (rules_is_bind(mount) && !*json_text(mount, "source", ""))
			findings_add_entry(findings, rule, "/mounts", i, "source",
					   "is required for a bind mount");
	}
}

static void check_type(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		if (!*json_text(mount, "type", "") && !rules_is_bind(mount) &&
		    !has_option(mount, "remount"))
			findings_add_entry(
				findings, rule, "/mounts", i, "type",
				"is required unless the options have bind, rbind or remount");
	}
}

/* Only the options make it one for the kernel; some runtimes add them, some do not. */
static void check_bind(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		if (rules_is_bind(mount) && !has_option(mount, "bind") &&
		    !has_option(mount, "rbind"))
			findings_add_entry(findings, rule, "/mounts", i, "options",
					   "should have bind or rbind");
	}
}

static bool is_idmapped(const json_t *mount)
{
	return has_option(mount, "idmap") || has_option(mount, "ridmap");
}

static bool has_mappings(const json_t *mount, const char *key)
{
	return json_array_size(json_object_get(mount, key)) > 0;
}

/* Runtimes take an empty list for the wish to have mappings, too. */
static bool wants_mappings(const json_t *mount)
{
	return is_idmapped(mount) || json_object_get(mount, "uidMappings") ||
	       json_object_get(mount, "gidMappings");
}

static void check_mappings(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		bool uid = has_mappings(mount, "uidMappings");
		bool gid = has_mappings(mount, "gidMappings");

		if (uid != gid)
			findings_add_entry(findings, rule, "/mounts", i,
					   uid ? "gidMappings" : "uidMappings",
					   "is required beside the other mapping");
		/* else the mappings are those of the container */
		else if (!uid && wants_mappings(mount) &&
			 !rules_has_namespace(config, "user", NULL))
			findings_add_entry(findings, rule, "/mounts", i, "uidMappings",
					   "is required for a mount with idmap, ridmap or mappings "
					   "where there is no user namespace");
	}
}

/* A runtime that does not know of mappings then knows at least that it lacks something. */
static void check_idmap(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		if (has_mappings(mount, "uidMappings") && !is_idmapped(mount))
			findings_add_entry(findings, rule, "/mounts", i, "options",
					   "should have idmap or ridmap");
	}
}

static void check_duplicates(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		cleanup_free char *path = mount_place(json_text(mount, "destination", ""));

		if (json_object_get(seen, path))
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "%.128s hides an earlier mount there", path);
		json_object_set_new(seen, path, json_true());
	}
}

static void check_length(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		if (strlen(json_text(mount, "destination", "")) >= PATH_MAX)
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "is longer than a path can be");
	}
}

/* A mount on a directory hides what was mounted beneath it before. */
static void check_hidden(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_auto_t *tree = json_object();
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		const char *path = json_text(mount, "destination", "");

		if (json_object_size(rules_enter(tree, path)) > 0)
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "hides what is mounted beneath it before");
	}
}

static void check_paths(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char *const lists[] = { "/linux/maskedPaths", "/linux/readonlyPaths" };
	const json_t *item;
	size_t i;

	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
		json_array_foreach (pointer_get(config, lists[l]), i, item) {
			const char *path = json_string_value(item);

			if (path && *path != '/')
				findings_add_entry(findings, rule, lists[l], i, NULL,
						   "must be an absolute path");
		}
}

/* Without a mount namespace of its own the container's mounts would be the host's. */
static void check_namespace(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	static const char *const members[] = { "/mounts", "/linux/maskedPaths",
					       "/linux/readonlyPaths" };

	if (rules_has_namespace(config, "mount", NULL))
		return;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (json_array_size(pointer_get(config, members[i])) > 0)
			findings_add(findings, rule, members[i],
				     "needs a mount namespace in /linux/namespaces");
}

static const struct rule_check checks[] = {
	{ { "mount-absolute", SEVERITY_WARNING, "config.md#mounts" }, check_relative },
	{ { "mount-root", SEVERITY_ERROR, "config.md#mounts" }, check_root },
	{ { "mount-source", SEVERITY_ERROR, "config.md#mounts" }, check_source },
	{ { "mount-type", SEVERITY_ERROR, "config.md#posix-platform-mounts" }, check_type },
	{ { "mount-bind", SEVERITY_WARNING, "config.md#mounts" }, check_bind },
	{ { "mount-mappings", SEVERITY_ERROR, "config.md#posix-platform-mounts" }, check_mappings },
	{ { "mount-idmap", SEVERITY_WARNING, "config.md#posix-platform-mounts" }, check_idmap },
	{ { "mount-length", SEVERITY_ERROR, "config.md#mounts" }, check_length },
	{ { "mount-duplicate", SEVERITY_WARNING, "config.md#mounts" }, check_duplicates },
	{ { "mount-hidden", SEVERITY_WARNING, "config.md#mounts" }, check_hidden },
	{ { "path-absolute", SEVERITY_ERROR, "config-linux.md#masked-paths" }, check_paths },
	{ { "mount-namespace", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_namespace },
};

void rules_check_mounts(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
