/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about what one runtime cannot do, by its own account (runtime-spec features.md). */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"
#include "oci-gen/versions.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FEATURES_MAX = 1 << 20, FEATURES_MS = 10000 };

/* The runtime and its account of itself. */
struct runtime {
	const char *name;
	const json_t *features, *config;
	struct findings *findings;
};

/* What the account says there; NULL where it says nothing, for which null stands, too. */
static const json_t *said(const struct runtime *runtime, const char *pointer)
{
	const json_t *value = pointer_get(runtime->features, pointer);

	return json_is_null(value) ? NULL : value;
}

static bool denies(const struct runtime *runtime, const char *pointer)
{
	return json_is_false(said(runtime, pointer));
}

/* Something the account lists what there is of: it lacks `text`. An account without the list says
 * nothing about it. */
static void need(const struct runtime *runtime, const struct rule *rule, const char *list,
		 const char *text, const char *pointer)
{
	const json_t *array = said(runtime, list);

	if (array && text && *text && !json_has_text(array, text))
		findings_add(runtime->findings, rule, pointer, "%s does not know %.64s",
			     runtime->name, text);
}

static void check_version(const struct runtime *runtime, const struct rule *rule)
{
	const char *max = json_text(runtime->features, "ociVersionMax", NULL);

	for (const struct version_member *m = version_members; max && m->pointer; m++)
		if (version_is_used(runtime->config, m) && version_compare(m->version, max) > 0)
			findings_add(runtime->findings, rule, m->pointer,
				     "came with version %s, and %s says it knows %.32s", m->version,
				     runtime->name, max);
}

static void check_hooks(const struct runtime *runtime, const struct rule *rule)
{
	const char *stage;
	json_t *list;

	json_object_foreach (json_object_get(runtime->config, "hooks"), stage, list) {
		cleanup_free char *at = pointer_join("/hooks", stage);

		if (json_array_size(list) > 0)
			need(runtime, rule, "/hooks", stage, at);
	}
}

static const char *const idmap_options[] = { "idmap", "ridmap", NULL };

static void check_mounts(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *mount, *option;
	size_t i, j;

	json_array_foreach (json_object_get(runtime->config, "mounts"), i, mount) {
		json_array_foreach (json_object_get(mount, "options"), j, option) {
			const char *text = json_string_value(option);
			cleanup_free char *at = xasprintf("/mounts/%zu/options/%zu", i, j);

			/* what is not the runtime's is for the file system; of mappings there is a
			 * word of its own */
			if (text && known_mount_option(text, strlen(text)) &&
			    !known_in(idmap_options, text))
				need(runtime, rule, "/mountOptions", text, at);
		}
	}
}

static bool is_mapped(const json_t *mount)
{
	const json_t *options = json_object_get(mount, "options");

	return json_object_get(mount, "uidMappings") || json_has_text(options, idmap_options[0]) ||
	       json_has_text(options, idmap_options[1]);
}

static void check_idmap(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *mount;
	size_t i;

	if (json_is_true(said(runtime, "/linux/mountExtensions/idmap/enabled")))
		return;
	json_array_foreach (json_object_get(runtime->config, "mounts"), i, mount) {
		cleanup_free char *at = pointer_index("/mounts", i);

		if (is_mapped(mount))
			findings_add(runtime->findings, rule, at,
				     "%s does not say that it can map the ids of a mount: it may "
				     "pass over this",
				     runtime->name);
	}
}

static void check_namespaces(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(runtime->config, "/linux/namespaces"), i, namespace) {
		cleanup_free char *at = xasprintf("/linux/namespaces/%zu/type", i);

		need(runtime, rule, "/linux/namespaces", json_text(namespace, "type", NULL), at);
	}
}

static void check_capabilities(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *item;
	json_t *list;
	const char *set;
	size_t i;

	json_object_foreach (pointer_get(runtime->config, "/process/capabilities"), set, list) {
		json_array_foreach (list, i, item) {
			cleanup_free char *at = xasprintf("/process/capabilities/%s/%zu", set, i);

			need(runtime, rule, "/linux/capabilities", json_string_value(item), at);
		}
	}
}

static void check_cgroup(const struct runtime *runtime, const struct rule *rule)
{
	bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;

	if (denies(runtime, v2 ? "/linux/cgroup/v2" : "/linux/cgroup/v1") &&
	    pointer_get(runtime->config, "/linux/resources"))
		findings_add(runtime->findings, rule, "/linux/resources",
			     "%s does not know control groups %s, which this host has",
			     runtime->name, v2 ? "v2" : "v1");
	/* SLICE:PREFIX:NAME is a unit of systemd */
	const char *path = json_text(json_object_get(runtime->config, "linux"), "cgroupsPath", "");
	if (*path && *path != '/' && strchr(path, ':') != strrchr(path, ':') &&
	    denies(runtime, "/linux/cgroup/systemd"))
		findings_add(runtime->findings, rule, "/linux/cgroupsPath",
			     "%s does not know the control groups of systemd", runtime->name);
}

static void check_operators(const struct runtime *runtime, const struct rule *rule,
			    const json_t *call, size_t i)
{
	const json_t *arg;
	size_t j;

	json_array_foreach (json_object_get(call, "args"), j, arg) {
		cleanup_free char *at = xasprintf("/linux/seccomp/syscalls/%zu/args/%zu/op", i, j);

		need(runtime, rule, "/linux/seccomp/operators", json_text(arg, "op", NULL), at);
	}
}

static void check_seccomp(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *filter = pointer_get(runtime->config, "/linux/seccomp"), *item;
	size_t i;

	if (!filter)
		return;
	if (denies(runtime, "/linux/seccomp/enabled")) {
		findings_add(runtime->findings, rule, "/linux/seccomp",
			     "%s is built without seccomp", runtime->name);
		return;
	}
	need(runtime, rule, "/linux/seccomp/actions", json_text(filter, "defaultAction", NULL),
	     "/linux/seccomp/defaultAction");
	json_array_foreach (json_object_get(filter, "syscalls"), i, item) {
		cleanup_free char *at = xasprintf("/linux/seccomp/syscalls/%zu/action", i);

		need(runtime, rule, "/linux/seccomp/actions", json_text(item, "action", NULL), at);
		check_operators(runtime, rule, item, i);
	}
	json_array_foreach (json_object_get(filter, "flags"), i, item) {
		cleanup_free char *at = xasprintf("/linux/seccomp/flags/%zu", i);

		need(runtime, rule, "/linux/seccomp/supportedFlags", json_string_value(item), at);
	}
	json_array_foreach (json_object_get(filter, "architectures"), i, item) {
		cleanup_free char *at = xasprintf("/linux/seccomp/architectures/%zu", i);

		need(runtime, rule, "/linux/seccomp/archs", json_string_value(item), at);
	}
}

static void check_memory_policy(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *policy = pointer_get(runtime->config, "/linux/memoryPolicy"), *flag;
	size_t i;

	need(runtime, rule, "/linux/memoryPolicy/modes", json_text(policy, "mode", NULL),
	     "/linux/memoryPolicy/mode");
	json_array_foreach (json_object_get(policy, "flags"), i, flag) {
		cleanup_free char *at = xasprintf("/linux/memoryPolicy/flags/%zu", i);

		need(runtime, rule, "/linux/memoryPolicy/flags", json_string_value(flag), at);
	}
}

/* Members that need something the runtime is built with, where it says that it is not, or (for what
 * came later than the account) says nothing. */
static void check_built(const struct runtime *runtime, const struct rule *rule)
{
	static const struct {
		const char *member, *feature;
		bool silence_means_no;
	} members[] = {
		{ "/process/apparmorProfile", "/linux/apparmor/enabled", false },
		{ "/process/selinuxLabel", "/linux/selinux/enabled", false },
		{ "/linux/intelRdt", "/linux/intelRdt/enabled", true },
		{ "/linux/intelRdt/schemata", "/linux/intelRdt/schemata", true },
		{ "/linux/intelRdt/enableMonitoring", "/linux/intelRdt/monitoring", true },
		{ "/linux/resources/rdma", "/linux/cgroup/rdma", false },
		{ "/linux/netDevices", "/linux/netDevices/enabled", true },
		{ "/linux/memoryPolicy", "/linux/memoryPolicy", true },
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *feature = said(runtime, members[i].feature);

		if (pointer_get(runtime->config, members[i].member) &&
		    (feature ? json_is_false(feature) : members[i].silence_means_no))
			findings_add(runtime->findings, rule, members[i].member,
				     "%s does not say that it supports this", runtime->name);
	}
}

/* Annotations that the runtime takes orders from. */
static void check_annotations(const struct runtime *runtime, const struct rule *rule)
{
	const json_t *item;
	json_t *value;
	const char *key;
	size_t i;

	json_object_foreach (json_object_get(runtime->config, "annotations"), key, value) {
		cleanup_free char *at = pointer_join("/annotations", key);

		json_array_foreach (
			json_object_get(runtime->features, "potentiallyUnsafeConfigAnnotations"), i,
			item) {
			const char *name = json_string_value(item);
			size_t length = name ? strlen(name) : 0;

			/* one that ends with a dot is a prefix */
			if (length > 0 && (name[length - 1] == '.' ? strncmp(key, name, length) == 0
								   : strcmp(key, name) == 0))
				findings_add(runtime->findings, rule, at, "changes what %s does",
					     runtime->name);
		}
	}
}

static const struct {
	struct rule rule;
	void (*check)(const struct runtime *runtime, const struct rule *rule);
} checks[] = {
	{ { "runtime-version", SEVERITY_WARNING, "features.md#specification-version" },
	  check_version },
	{ { "runtime-hook", SEVERITY_WARNING, "features.md#hooks" }, check_hooks },
	{ { "runtime-mount-option", SEVERITY_WARNING, "features.md#mount-options" }, check_mounts },
	{ { "runtime-idmap", SEVERITY_WARNING, "features-linux.md#mountextensions" }, check_idmap },
	{ { "runtime-namespace", SEVERITY_WARNING, "features-linux.md#namespaces" },
	  check_namespaces },
	{ { "runtime-capability", SEVERITY_WARNING, "features-linux.md#capabilities" },
	  check_capabilities },
	{ { "runtime-cgroup", SEVERITY_WARNING, "features-linux.md#cgroup" }, check_cgroup },
	{ { "runtime-seccomp", SEVERITY_WARNING, "features-linux.md#seccomp" }, check_seccomp },
	{ { "runtime-memory-policy", SEVERITY_WARNING, "features-linux.md#memorypolicy" },
	  check_memory_policy },
	{ { "runtime-support", SEVERITY_WARNING, "features-linux.md" }, check_built },
	{ { "runtime-annotation", SEVERITY_WARNING,
	    "features.md#unsafe-annotations-in-configjson" },
	  check_annotations },
};

/* A file with the account, of a runtime that is elsewhere: it is no program, here or in PATH. */
static bool is_account(const char *name)
{
	cleanup_free char *program = spawn_find(name);
	struct stat st;

	return !program && stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static json_t *read_account(const char *path, struct error *err)
{
	json_t *features = json_read_at(AT_FDCWD, path, FEATURES_MAX, err);

	if (!features || json_is_object(features))
		return features;
	json_decref(features);
	error_set(err, ERROR_INTEGRITY, "%s: the features of a runtime are a JSON object", path);
	return NULL;
}

/* The account, or NULL: then *reason says why there is none. */
static json_t *ask(const char *name, char **reason, struct error *err)
{
	const char *argv[] = { name, "features", NULL };
	const struct spawn spawn = { .argv = argv,
				     .output_max = FEATURES_MAX,
				     .timeout_ms = FEATURES_MS };
	cleanup_spawn_result struct spawn_result result = { 0 };
	struct error malformed;

	if (is_account(name))
		return read_account(name, err);
	if (spawn_run(&spawn, &result, err) < 0)
		return NULL;
	json_t *features = result.status == 0
				   ? json_parse(result.out, result.out_length, name, &malformed)
				   : NULL;
	if (json_is_object(features))
		return features;
	json_decref(features);
	*reason = spawn_last_line(result.err);
	return NULL;
}

int rules_check_runtime(const json_t *config, const char *name, struct findings *findings,
			struct error *err)
{
	static const struct rule silent = { "runtime-features", SEVERITY_WARNING, "features.md" };
	cleanup_free char *reason = NULL;
	json_auto_t *features = ask(name, &reason, err);
	const char *slash = strrchr(name, '/');
	const struct runtime runtime = { slash ? slash + 1 : name, features, config, findings };

	if (!features && !reason)
		return error_prefix(err, "runtime %s", name);
	if (!features) {
		findings_add(findings, &silent, "",
			     "%s has no features verb, so it cannot tell what it can do (%.128s)",
			     runtime.name, reason);
		return 0;
	}
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i].check(&runtime, &checks[i].rule);
	return 0;
}
