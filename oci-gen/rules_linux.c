/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about namespaces and what belongs to them; those about devices, resources and seccomp are
 * in files of their own. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

void rules_check_namespaces(const json_t *config, const char *list, const struct rule *rule,
			    struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(config, list), i, namespace) {
		const char *type = json_text(namespace, "type", NULL);
		const char *path = json_text(namespace, "path", NULL);

		if (type && json_object_get(seen, type))
			findings_add_entry(findings, rule, list, i, NULL,
					   "a namespace of type %.32s is there twice", type);
		if (type)
			json_object_set_new(seen, type, json_true());
		if (path && *path && *path != '/')
			findings_add_entry(findings, rule, list, i, "path",
					   "must be an absolute path");
	}
}

static void check_namespaces(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	rules_check_namespaces(config, "/linux/namespaces", rule, findings);
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

/* A name that the kernel keeps for the container. */
static void check_name(const json_t *config, const char *pointer, const struct rule *rule,
		       struct findings *findings)
{
	const char *name = json_string_value(pointer_get(config, pointer));

	if (name && strlen(name) > HOST_NAME_MAX)
		findings_add(findings, rule, pointer, "is longer than %d bytes", HOST_NAME_MAX);
	for (const unsigned char *c = (const unsigned char *)name; c && *c; c++)
		if (*c <= ' ' || *c == 0x7f) {
			findings_add(findings, rule, pointer,
				     "holds a space or a control character");
			return;
		}
}

static void check_hostname(const json_t *config, const struct rule *rule, struct findings *findings)
{
	check_name(config, "/hostname", rule, findings);
}

static void check_domainname(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	check_name(config, "/domainname", rule, findings);
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
		/* there is a member for it, so runtimes refuse a second word on the same */
		if (strcmp(dotted, "kernel.hostname") == 0)
			findings_add(findings, rule, at, "is what /hostname sets: use that");
		else if (!type)
			findings_add(findings, rule, at,
				     "is the whole machine's, not that of a namespace");
		else if (!rules_has_namespace(config, type, NULL))
			findings_add(findings, rule, at,
				     "needs a %s namespace in /linux/namespaces", type);
	}
}

static void check_clocks(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char *const clocks[] = { "boottime", "monotonic", NULL };
	const char *name;
	json_t *offset;

	json_object_foreach (pointer_get(config, "/linux/timeOffsets"), name, offset) {
		cleanup_free char *at = pointer_join("/linux/timeOffsets", name);

		if (!known_in(clocks, name))
			findings_add(
				findings, rule, at,
				"is not boottime or monotonic: namespaces have no other clock");
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

/* A name that the kernel gives to an interface; "%d" at its end stands for a number. */
static bool is_interface_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !name[strcspn(name, "/: \t\n\v\f\r")];
}

static void check_net_devices(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	const char *name;
	json_t *device;

	json_object_foreach (pointer_get(config, "/linux/netDevices"), name, device) {
		const char *inside = json_text(device, "name", name);
		cleanup_free char *at = pointer_join("/linux/netDevices", name);
		cleanup_free char *inside_at = pointer_join(at, "name");

		if (!is_interface_name(name))
			findings_add(findings, rule, at, "is not the name of an interface");
		if (*inside && !is_interface_name(inside) && inside != name)
			findings_add(findings, rule, inside_at, "is not the name of an interface");
	}
}

/* "%d" makes as many names as there are interfaces. */
static void check_net_names(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	json_auto_t *seen = json_object();
	const char *name;
	json_t *device;

	json_object_foreach (pointer_get(config, "/linux/netDevices"), name, device) {
		const char *given = json_text(device, "name", "");
		const char *inside = *given ? given : name;
		cleanup_free char *at = pointer_join("/linux/netDevices", name);
		cleanup_free char *name_at = *given ? pointer_join(at, "name") : xstrdup(at);

		if (json_object_get(seen, inside))
			findings_add(findings, rule, name_at,
				     "another interface has the name %.32s in the container",
				     inside);
		if (!strstr(inside, "%d"))
			json_object_set_new(seen, inside, json_true());
	}
}

static void check_personality(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	if (json_array_size(pointer_get(config, "/linux/personality/flags")) > 0)
		findings_add(findings, rule, "/linux/personality/flags",
			     "has no effect: there are no flags yet");
}

static const struct rule_check checks[] = {
	{ { "namespace", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_namespaces },
	{ { "namespace-missing", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_members },
	{ { "hostname", SEVERITY_ERROR, "config.md#hostname" }, check_hostname },
	{ { "domainname", SEVERITY_ERROR, "config.md#domainname" }, check_domainname },
	{ { "sysctl", SEVERITY_ERROR, "config-linux.md#sysctl" }, check_sysctl },
	{ { "time-offset", SEVERITY_ERROR, "config-linux.md#offset-for-time-namespace" },
	  check_clocks },
	{ { "net-device", SEVERITY_ERROR, "config-linux.md#network-devices" }, check_net_devices },
	{ { "net-device", SEVERITY_ERROR, "config-linux.md#network-devices" }, check_net_names },
	{ { "personality-flags", SEVERITY_WARNING, "config-linux.md#personality" },
	  check_personality },
	{ { "cgroups-path", SEVERITY_ERROR, "config-linux.md#cgroups-path" }, check_cgroups_path },
};

void rules_check_linux(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
	rules_check_mappings(config, findings);
	rules_check_devices(config, findings);
	rules_check_resources(config, findings);
	rules_check_seccomp(config, findings);
}
