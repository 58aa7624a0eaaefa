/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about virtual machines, and about platforms other than Linux. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <ctype.h>
#include <string.h>

/* On Windows this begins with a drive, or leads to a named pipe or another host. */
static bool is_absolute(const char *path, bool windows)
{
	return *path == '/' ||
	       (windows && (*path == '\\' || (isalpha((unsigned char)*path) && path[1] == ':')));
}

static void check_destinations(const json_t *config, bool windows, struct findings *findings)
{
	static const struct rule rule = { "destination-absolute", SEVERITY_ERROR,
					  "config.md#mounts" };
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		const char *path = json_text(mount, "destination", "");

		if (*path && !is_absolute(path, windows))
			findings_add_entry(findings, &rule, "/mounts", i, "destination",
					   "must be an absolute path");
	}
}

static void check_machine(const json_t *config, bool windows, struct findings *findings)
{
	static const struct {
		const char *pointer, *spec;
	} paths[] = {
		{ "/vm/hypervisor/path", "config-vm.md#hypervisor-object" },
		{ "/vm/kernel/path", "config-vm.md#kernel-object" },
		{ "/vm/kernel/initrd", "config-vm.md#kernel-object" },
		{ "/vm/image/path", "config-vm.md#image-object" },
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct rule rule = { "vm-path", SEVERITY_ERROR, paths[i].spec };
		const char *path = json_string_value(pointer_get(config, paths[i].pointer));

		if (path && *path && !is_absolute(path, windows))
			findings_add(findings, &rule, paths[i].pointer, "must be an absolute path");
	}
}

/* Windows starts a program with one text, or with words that become one. */
static void check_command_line(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	if (json_object_get(config, "process") && !pointer_get(config, "/process/args") &&
	    !pointer_get(config, "/process/commandLine"))
		findings_add(findings, rule, "/process/commandLine", "is required without args");
}

/* A Hyper-V container has the root that its layers make. */
static void check_windows_root(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	bool root = json_object_get(config, "root");
	bool machine = pointer_get(config, "/windows/hyperv");

	if (root == machine)
		findings_add(findings, rule, "/root",
			     machine ? "must not be set with hyperv" : "is required on Windows");
	if (json_is_true(pointer_get(config, "/root/readonly")))
		findings_add(findings, rule, "/root/readonly", "must not be true on Windows");
}

/* The ways to give it a share of the processors. */
static void check_windows_cpu(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	static const char *const ways[] = { "count", "shares", "maximum" };
	static const char pointer[] = "/windows/resources/cpu";
	size_t found = 0;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		found += json_object_get(pointer_get(config, pointer), ways[i]) != NULL;
	if (found > 1)
		findings_add(findings, rule, pointer,
			     "has more than one of count, shares and maximum");
}

static void check_windows_network(const json_t *config, const struct rule *rule,
				  struct findings *findings)
{
	const json_t *network = pointer_get(config, "/windows/network");

	if (json_object_get(network, "networkNamespace") && json_object_size(network) > 1)
		findings_add(findings, rule, "/windows/network/networkNamespace",
			     "must stand alone");
}

/* A destination in one way of writing: on Windows the case of letters means nothing. */
static char *windows_place(const json_t *mount)
{
	char *place = xstrdup(json_text(mount, "destination", ""));

	for (char *c = place; *c; c++)
		*c = *c == '\\' ? '/' : (char)tolower((unsigned char)*c);
	return place;
}

static void check_nested(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_auto_t *tree = json_object();
	const json_t *mounts = json_object_get(config, "mounts"), *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		cleanup_free char *place = windows_place(mount);

		rules_enter(tree, place);
	}
	json_array_foreach (mounts, i, mount) {
		cleanup_free char *place = windows_place(mount);

		if (json_object_size(rules_enter(tree, place)) > 0)
			findings_add_entry(findings, rule, "/mounts", i, "destination",
					   "must not hold that of another mount");
	}
}

static void check_zos_namespaces(const json_t *config, const struct rule *rule,
				 struct findings *findings)
{
	rules_check_namespaces(config, "/zos/namespaces", rule, findings);
}

static const struct rule_check zos_checks[] = {
	{ { "namespace", SEVERITY_ERROR, "config-zos.md#namespaces" }, check_zos_namespaces },
};
static const struct rule_check windows_checks[] = {
	{ { "mount-nested", SEVERITY_ERROR, "config.md#mounts" }, check_nested },
	{ { "windows-root", SEVERITY_ERROR, "config.md#root" }, check_windows_root },
	{ { "required", SEVERITY_ERROR, "config.md#process" }, check_command_line },
	{ { "windows-cpu", SEVERITY_ERROR, "config-windows.md#cpu" }, check_windows_cpu },
	{ { "windows-network", SEVERITY_ERROR, "config-windows.md#network" },
	  check_windows_network },
};

void rules_check_platform(const json_t *config, const char *platform, struct findings *findings)
{
	bool windows = strcmp(platform, "windows") == 0;

	check_machine(config, windows, findings);
	if (windows)
		rules_run(windows_checks, sizeof windows_checks / sizeof *windows_checks, config,
			  findings);
	if (strcmp(platform, "zos") == 0)
		rules_run(zos_checks, sizeof zos_checks / sizeof *zos_checks, config, findings);
	/* on Linux a relative one is from the root, and a warning */
	if (strcmp(platform, "linux") != 0)
		check_destinations(config, windows, findings);
}
