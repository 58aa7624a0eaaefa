/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about devices: the nodes in a container, and which of them its control group lets it use.
 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>
#include <sys/stat.h>

static const char *const numbers[] = { "major", "minor" };
enum { NUMBERS = sizeof numbers / sizeof *numbers };

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
		const json_t *other = json_object_get(seen, path);

		if (*path && *path != '/')
			findings_add_entry(findings, rule, "/linux/devices", i, NULL,
					   "the path must be absolute");
		if (strcmp(type, "p") != 0 && !numbered)
			findings_add_entry(findings, rule, "/linux/devices", i, NULL,
					   "major and minor are required");
		if (other && !json_equal(other, device))
			findings_add_entry(findings, rule, "/linux/devices", i, NULL,
					   "%.128s is another device, too", path);
		json_object_set(seen, path, (json_t *)device);
	}
}

/* Only rules of a control group are about any number, which is -1 there. */
static void check_node_numbers(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	const json_t *device;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/devices"), i, device) {
		bool fifo = strcmp(json_text(device, "type", "p"), "p") == 0;

		for (size_t n = 0; !fifo && n < NUMBERS; n++)
			if (json_integer_value(json_object_get(device, numbers[n])) < 0)
				findings_add_entry(findings, rule, "/linux/devices", i, numbers[n],
						   "must not be negative: a node is of one device");
	}
}

/* Two entries for one device. */
static void check_device_numbers(const json_t *config, const struct rule *rule,
				 struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *device;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/devices"), i, device) {
		const json_t *major = json_object_get(device, "major");
		const json_t *minor = json_object_get(device, "minor");
		const char *type = json_text(device, "type", "p");
		const char *path = json_text(device, "path", "");
		bool fifo = strcmp(type, "p") == 0;

		if (!fifo && (!json_is_integer(major) || !json_is_integer(minor)))
			continue;
		/* each fifo is a thing of its own */
		cleanup_free char *key = fifo ? xasprintf("p %s", path)
					      : xasprintf("%.8s %lld:%lld", type,
							  (long long)json_integer_value(major),
							  (long long)json_integer_value(minor));
		const char *other = json_text(seen, key, NULL);
		if (other)
			findings_add_entry(findings, rule, "/linux/devices", i, NULL,
					   "is the device of %.128s, too", other);
		json_object_set_new(seen, key, json_string(path));
	}
}

static mode_t kind_of_file(const char *type)
{
	return strcmp(type, "b") == 0 ? S_IFBLK : strcmp(type, "p") == 0 ? S_IFIFO : S_IFCHR;
}

/* Podman writes the whole of what stat(2) says of a device, so the kind of file may stand in its
 * mode: runtimes take no notice of it. */
static void check_modes(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *device;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/devices"), i, device) {
		const char *type = json_text(device, "type", "c");
		mode_t kind =
			(mode_t)json_integer_value(json_object_get(device, "fileMode")) & S_IFMT;

		if (kind != 0 && kind != kind_of_file(type))
			findings_add_entry(findings, rule, "/linux/devices", i, "fileMode",
					   "is that of another kind of file than %.8s", type);
	}
}

static void check_device_access(const json_t *config, const struct rule *rule,
				struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/devices"), i, entry) {
		const char *access = json_text(entry, "access", "");

		if (access[strspn(access, "rwm")] != '\0')
			findings_add_entry(findings, rule, "/linux/resources/devices", i, "access",
					   "\"%.32s\" has letters other than r, w and m", access);
	}
}

/* -1 stands for any number. */
static void check_device_ranges(const json_t *config, const struct rule *rule,
				struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/devices"), i, entry) {
		for (size_t n = 0; n < NUMBERS; n++)
			if (json_integer_value(json_object_get(entry, numbers[n])) < -1)
				findings_add_entry(findings, rule, "/linux/resources/devices", i,
						   numbers[n], "is less than -1, which is any");
	}
}

static void check_access_given(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/devices"), i, entry) {
		const json_t *access = json_object_get(entry, "access");

		if (!access || (json_is_string(access) && json_string_length(access) == 0))
			findings_add_entry(findings, rule, "/linux/resources/devices", i, "access",
					   "is missing or empty, at which runtimes fail: rwm is "
					   "all there is");
	}
}

static const struct rule_check checks[] = {
	{ { "device", SEVERITY_ERROR, "config-linux.md#devices" }, check_devices },
	{ { "device", SEVERITY_ERROR, "config-linux.md#devices" }, check_node_numbers },
	{ { "device-repeated", SEVERITY_WARNING, "config-linux.md#devices" },
	  check_device_numbers },
	{ { "device-mode", SEVERITY_ERROR, "config-linux.md#devices" }, check_modes },
	{ { "device-access", SEVERITY_ERROR, "config-linux.md#allowed-device-list" },
	  check_device_access },
	{ { "device-access", SEVERITY_ERROR, "config-linux.md#allowed-device-list" },
	  check_device_ranges },
	{ { "device-access-missing", SEVERITY_WARNING, "config-linux.md#allowed-device-list" },
	  check_access_given },
};

void rules_check_devices(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
