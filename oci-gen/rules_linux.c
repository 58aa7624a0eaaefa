/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about namespaces, devices, resources and seccomp. */
#include "oci-gen/rules.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void check_namespaces(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/namespaces"), i, namespace) {
		const char *type = json_text(namespace, "type", NULL);
		const char *path = json_text(namespace, "path", NULL);
		cleanup_free char *at = pointer_index("/linux/namespaces", i);
		cleanup_free char *path_at = pointer_join(at, "path");

		if (type && json_object_get(seen, type))
			findings_add(findings, rule, at, "a namespace of type %.32s is there twice",
				     type);
		if (type)
			json_object_set_new(seen, type, json_true());
		if (path && *path && *path != '/')
			findings_add(findings, rule, path_at, "must be an absolute path");
	}
}

/* Members that change what a namespace of that type keeps apart: without one they would change
 * the host. */
static void check_members(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const struct {
		const char *pointer, *type;
	} members[] = {
		{ "/hostname", "uts" },		  { "/domainname", "uts" },
		{ "/linux/uidMappings", "user" }, { "/linux/gidMappings", "user" },
		{ "/linux/timeOffsets", "time" }, { "/linux/netDevices", "network" },
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *value = pointer_get(config, members[i].pointer);

		if (!value || rules_has_namespace(config, members[i].type, NULL) ||
		    (json_is_string(value) && !*json_string_value(value)) ||
		    (json_is_array(value) && json_array_size(value) == 0) ||
		    (json_is_object(value) && json_object_size(value) == 0))
			continue;
		findings_add(findings, rule, members[i].pointer,
			     "needs a %s namespace in /linux/namespaces", members[i].type);
	}
}

static void check_user_namespace(const json_t *config, const struct rule *rule,
				 struct findings *findings)
{
	static const char *const mappings[] = { "/linux/uidMappings", "/linux/gidMappings" };
	const char *path;

	if (!rules_has_namespace(config, "user", &path) || path)
		return;
	for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++)
		if (json_array_size(pointer_get(config, mappings[i])) == 0)
			findings_add(findings, rule, mappings[i],
				     "is required for a new user namespace");
}

static void check_hostname(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name = json_text(config, "hostname", "");

	if (strlen(name) > HOST_NAME_MAX)
		findings_add(findings, rule, "/hostname", "is longer than %d bytes", HOST_NAME_MAX);
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c <= ' ' || *c == 0x7f) {
			findings_add(findings, rule, "/hostname",
				     "holds a space or a control character");
			return;
		}
}

static void check_sysctl(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name;
	json_t *value;

	json_object_foreach (pointer_get(config, "/linux/sysctl"), name, value) {
		cleanup_free char *dotted = xstrdup(name);
		cleanup_free char *at = pointer_join("/linux/sysctl", name);

		for (char *c = dotted; *c; c++)
			if (*c == '/')
				*c = '.';
		const char *type = known_sysctl_namespace(dotted);
		if (!type)
			findings_add(findings, rule, at,
				     "is the whole machine's, not that of a namespace");
		else if (!rules_has_namespace(config, type, NULL))
			findings_add(findings, rule, at,
				     "needs a %s namespace in /linux/namespaces", type);
	}
}

static void check_devices(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *device;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/devices"), i, device) {
		const char *path = json_text(device, "path", "/");
		const char *type = json_text(device, "type", "p");
		bool numbered = json_is_integer(json_object_get(device, "major")) &&
				json_is_integer(json_object_get(device, "minor"));
		cleanup_free char *at = pointer_index("/linux/devices", i);

		if (*path && *path != '/')
			findings_add(findings, rule, at, "the path must be absolute");
		if (strcmp(type, "p") != 0 && !numbered)
			findings_add(findings, rule, at, "major and minor are required");
		if (json_object_get(seen, path))
			findings_add(findings, rule, at, "%.128s is there twice", path);
		json_object_set_new(seen, path, json_true());
	}
}

static void check_device_access(const json_t *config, const struct rule *rule,
				struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/devices"), i, entry) {
		const char *access = json_text(entry, "access", "");
		cleanup_free char *at = pointer_index("/linux/resources/devices", i);
		cleanup_free char *access_at = pointer_join(at, "access");

		if (access[strspn(access, "rwm")] != '\0')
			findings_add(findings, rule, access_at,
				     "\"%.32s\" has letters other than r, w and m", access);
	}
}

static json_int_t resource(const json_t *config, const char *pointer, json_int_t otherwise)
{
	const json_t *value = pointer_get(config, pointer);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void check_memory(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_int_t limit = resource(config, "/linux/resources/memory/limit", -1);
	json_int_t swap = resource(config, "/linux/resources/memory/swap", -1);
	json_int_t reservation = resource(config, "/linux/resources/memory/reservation", -1);

	if (limit > 0 && swap > 0 && swap < limit)
		findings_add(findings, rule, "/linux/resources/memory/swap",
			     "memory and swap together are less than the memory limit");
	if (limit > 0 && reservation > limit)
		findings_add(findings, rule, "/linux/resources/memory/reservation",
			     "is above the memory limit");
}

static void check_cpu(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_int_t period = resource(config, "/linux/resources/cpu/period", 0);
	json_int_t quota = resource(config, "/linux/resources/cpu/quota", 0);

	/* the bounds of the kernel's CFS bandwidth control */
	if (period != 0 && (period < 1000 || period > 1000000))
		findings_add(findings, rule, "/linux/resources/cpu/period",
			     "is not between 1000 and 1000000 microseconds");
	if (quota > 0 && quota < 1000)
		findings_add(findings, rule, "/linux/resources/cpu/quota",
			     "is less than 1000 microseconds");
}

/* "0-3,5": what cpuset files take. */
static bool is_number_list(const char *text)
{
	while (*text) {
		size_t digits = strspn(text, "0123456789");

		if (digits == 0)
			return false;
		text += digits;
		if (*text == '-') {
			digits = strspn(++text, "0123456789");
			if (digits == 0)
				return false;
			text += digits;
		}
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return false;
	}
	return true;
}

static void check_cpu_lists(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	static const char *const lists[] = { "/linux/resources/cpu/cpus",
					     "/linux/resources/cpu/mems" };

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *text = json_string_value(pointer_get(config, lists[i]));

		if (text && !is_number_list(text))
			findings_add(findings, rule, lists[i],
				     "\"%.64s\" is not a list such as 0-3,5", text);
	}
}

/* A size as in the names of hugetlb files: 64KB, 2MB, 1GB. */
static void check_huge_pages(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/hugepageLimits"), i, entry) {
		const char *size = json_text(entry, "pageSize", "1GB");
		size_t digits = strspn(size, "0123456789");
		cleanup_free char *at = pointer_index("/linux/resources/hugepageLimits", i);
		const char *unit = size + digits;

		if (digits == 0 || *size == '0' ||
		    (strcmp(unit, "KB") != 0 && strcmp(unit, "MB") != 0 && strcmp(unit, "GB") != 0))
			findings_add(findings, rule, at, "\"%.32s\" is not a page size such as 2MB",
				     size);
	}
}

static void check_block_io(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/blockIO/weightDevice"), i,
			    entry) {
		cleanup_free char *at = pointer_index("/linux/resources/blockIO/weightDevice", i);

		if (!json_object_get(entry, "weight") && !json_object_get(entry, "leafWeight"))
			findings_add(findings, rule, at, "needs a weight or a leafWeight");
	}
}

/* Names of control files, beneath the container's cgroup. */
static void check_unified(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name;
	json_t *value;

	json_object_foreach (pointer_get(config, "/linux/resources/unified"), name, value) {
		cleanup_free char *at = pointer_join("/linux/resources/unified", name);

		if (!*name || strchr(name, '/'))
			findings_add(findings, rule, at, "is not the name of a control file");
	}
}

static void check_cgroups_path(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	const char *path = json_string_value(pointer_get(config, "/linux/cgroupsPath"));

	while (path && *path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && memcmp(path, "..", 2) == 0) {
			findings_add(findings, rule, "/linux/cgroupsPath", "must not hold \"..\"");
			return;
		}
		path += length;
	}
}

static bool uses_action(const json_t *config, const char *action)
{
	const json_t *entry;
	size_t i;

	if (strcmp(json_text(pointer_get(config, "/linux/seccomp"), "defaultAction", ""), action) ==
	    0)
		return true;
	json_array_foreach (pointer_get(config, "/linux/seccomp/syscalls"), i, entry) {
		if (strcmp(json_text(entry, "action", ""), action) == 0)
			return true;
	}
	return false;
}

static void check_seccomp(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *filter = pointer_get(config, "/linux/seccomp");
	bool listener = *json_text(filter, "listenerPath", "") != '\0';

	if (uses_action(config, "SCMP_ACT_NOTIFY") && !listener)
		findings_add(findings, rule, "/linux/seccomp/listenerPath",
			     "is required with SCMP_ACT_NOTIFY");
	if (*json_text(filter, "listenerMetadata", "") && !listener)
		findings_add(findings, rule, "/linux/seccomp/listenerMetadata",
			     "has no use without listenerPath");
	if (listener && *json_text(filter, "listenerPath", "") != '/')
		findings_add(findings, rule, "/linux/seccomp/listenerPath",
			     "must be an absolute path");
}

/* An errno that is returned by an action that returns none. */
static void check_errno(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/seccomp/syscalls"), i, entry) {
		const char *action = json_text(entry, "action", "SCMP_ACT_ERRNO");

		if (!json_object_get(entry, "errnoRet") || strcmp(action, "SCMP_ACT_ERRNO") == 0 ||
		    strcmp(action, "SCMP_ACT_TRACE") == 0)
			continue;
		cleanup_free char *at = pointer_index("/linux/seccomp/syscalls", i);
		findings_add(findings, rule, at, "errnoRet has no meaning with %.32s", action);
	}
}

static const struct rule_check checks[] = {
	{ { "namespace", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_namespaces },
	{ { "namespace-missing", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_members },
	{ { "user-mappings", SEVERITY_ERROR, "config-linux.md#user-namespace-mappings" },
	  check_user_namespace },
	{ { "hostname", SEVERITY_ERROR, "config.md#hostname" }, check_hostname },
	{ { "sysctl", SEVERITY_ERROR, "config-linux.md#sysctl" }, check_sysctl },
	{ { "device", SEVERITY_ERROR, "config-linux.md#devices" }, check_devices },
	{ { "device-access", SEVERITY_ERROR, "config-linux.md#allowed-device-list" },
	  check_device_access },
	{ { "memory", SEVERITY_ERROR, "config-linux.md#memory" }, check_memory },
	{ { "cpu", SEVERITY_ERROR, "config-linux.md#cpu" }, check_cpu },
	{ { "cpu-list", SEVERITY_ERROR, "config-linux.md#cpu" }, check_cpu_lists },
	{ { "huge-page-size", SEVERITY_ERROR, "config-linux.md#huge-page-limits" },
	  check_huge_pages },
	{ { "block-io-weight", SEVERITY_ERROR, "config-linux.md#block-io" }, check_block_io },
	{ { "unified", SEVERITY_ERROR, "config-linux.md#unified" }, check_unified },
	{ { "cgroups-path", SEVERITY_ERROR, "config-linux.md#cgroups-path" }, check_cgroups_path },
	{ { "seccomp-listener", SEVERITY_ERROR, "config-linux.md#seccomp" }, check_seccomp },
	{ { "seccomp-errno", SEVERITY_WARNING, "config-linux.md#seccomp" }, check_errno },
};

void rules_check_linux(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
