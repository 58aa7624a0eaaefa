/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/yaml.h"
#include "oci-gen/cdi.h"
#include "oci-gen/message.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const struct member device_node[] = {
	{ "path", .kind = TEXT },
	{ "hostPath", .kind = TEXT },
	{ "type", .kind = TEXT },
	{ "major", .kind = NUMBER },
	{ "minor", .kind = NUMBER },
	{ "fileMode", .kind = FILE_MODE, .keep_zero = true },
	{ "permissions", .kind = TEXT },
	{ "uid", .kind = NUMBER, .keep_zero = true },
	{ "gid", .kind = NUMBER, .keep_zero = true },
	{ 0 },
};
static const struct member mount[] = {
	{ "hostPath", .kind = TEXT },
	{ "containerPath", .kind = TEXT },
	{ "type", .kind = TEXT },
	{ "options", .kind = TEXT, .repeated = true },
	{ 0 },
};
static const struct member hook[] = {
	{ "hookName", .kind = TEXT },
	{ "path", .kind = TEXT },
	{ "args", .kind = TEXT, .repeated = true },
	{ "env", .kind = TEXT, .repeated = true },
	{ "timeout", .kind = NUMBER },
	{ 0 },
};
static const struct member net_device[] = {
	{ "hostInterfaceName", .kind = TEXT },
	{ "name", .kind = TEXT },
	{ 0 },
};
static const struct member intel_rdt[] = {
	{ "closID", .kind = TEXT },
	{ "l3CacheSchema", .kind = TEXT },
	{ "memBwSchema", .kind = TEXT },
	{ "schemata", .kind = TEXT, .repeated = true },
	{ "enableMonitoring", .kind = BOOLEAN },
	{ "enableCMT", .kind = BOOLEAN },
	{ "enableMBM", .kind = BOOLEAN },
	{ 0 },
};
static const struct member edits[] = {
	{ "env", .kind = TEXT, .repeated = true },
	{ "deviceNodes", .kind = MESSAGE, .repeated = true, .members = device_node },
	{ "netDevices", .kind = MESSAGE, .repeated = true, .members = net_device },
	{ "hooks", .kind = MESSAGE, .repeated = true, .members = hook },
	{ "mounts", .kind = MESSAGE, .repeated = true, .members = mount },
	{ "intelRdt", .kind = MESSAGE, .members = intel_rdt },
	{ "additionalGids", .kind = NUMBER, .repeated = true },
	{ 0 },
};
static const struct member device[] = {
	{ "name", .kind = TEXT },
	{ "annotations", .kind = MAP },
	{ "containerEdits", .kind = MESSAGE, .members = edits },
	{ 0 },
};
static const struct member specification[] = {
	{ "cdiVersion", .kind = TEXT },
	{ "kind", .kind = TEXT },
	{ "annotations", .kind = MAP },
	{ "devices", .kind = MESSAGE, .repeated = true, .members = device },
	{ "containerEdits", .kind = MESSAGE, .members = edits },
	{ 0 },
};

/* True for letters, digits and, between two of these, "-", "_", "." and ":". */
static bool is_word(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool edge = i == 0 || i + 1 == length;

		if (!isalnum((unsigned char)text[i]) && (edge || !strchr("-_.:", text[i])))
			return false;
	}
	return length > 0;
}

int cdi_check_name(const char *name, struct error *err)
{
	size_t vendor = strcspn(name, "/"), kind = strcspn(name, "=");

	if (vendor < kind && name[kind] && is_word(name, vendor) &&
	    is_word(name + vendor + 1, kind - vendor - 1) &&
	    is_word(name + kind + 1, strlen(name + kind + 1)))
		return 0;
	return error_set(err, ERROR_USAGE, "\"%s\" is not a CDI device, VENDOR/CLASS=NAME", name);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);

	return length > end && strcmp(name + length - end, suffix) == 0;
}

/* A file's specification from its JSON, or NULL. The caller owns it. */
static json_t *read_specification(const json_t *value, struct error *err)
{
	json_auto_t *spec = message_read(value, specification, "", err);

	if (!spec)
		return NULL;
	if (!json_object_get(spec, "kind") || !json_object_get(spec, "cdiVersion")) {
		error_set(err, ERROR_INTEGRITY, "no \"kind\" or no \"cdiVersion\"");
		return NULL;
	}
	return cdi_check_version(spec, err) < 0 ? NULL : steal_ptr(&spec);
}

/* The specification in a file, or NULL. The caller owns it. */
static json_t *read_file(const char *path, struct error *err)
{
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, &length, err);
	if (!text)
		return NULL;
	json_auto_t *value = has_suffix(path, ".yaml") ? yaml_parse(text, length, path, err)
						       : json_parse(text, length, path, err);
	if (!value)
		return NULL;
	json_t *spec = read_specification(value, err);
	if (!spec)
		error_prefix(err, "%s", path);
	return spec;
}

/* Add what is in a directory, the one of that number, which need not be there. What cannot be read
 * takes nothing else with it. */
static void read_directory(json_t *files, const char *directory, size_t number)
{
	cleanup_strings struct strings names = { 0 };
	struct error why;

	if (directory_names(AT_FDCWD, directory, &names) < 0 && errno != ENOENT)
		log_message(LOG_LEVEL_WARN, "%s: %s", directory, strerror(errno));
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *file = xasprintf("%s/%s", directory, names.items[i]);

		if (!has_suffix(file, ".json") && !has_suffix(file, ".yaml"))
			continue;
		json_t *spec = read_file(file, &why);
		if (spec)
			json_array_append_new(files, json_pack("{s:s, s:I, s:o}", "file", file,
							       "directory", (json_int_t)number,
							       "spec", spec));
		else
			log_message(LOG_LEVEL_WARN, "%s", why.message);
	}
}

/* All there are: [{file, directory, spec}], lowest priority first. */
static json_t *read_directories(const json_t *directories)
{
	json_t *files = json_array();
	const json_t *directory;
	size_t i;

	json_array_foreach (directories, i, directory) {
		read_directory(files, json_string_value(directory), i);
	}
	return files;
}

static const json_t *find_device(const json_t *spec, const char *name, size_t kind)
{
	const char *own = json_text(spec, "kind", "");
	const json_t *item;
	size_t i;

	if (strlen(own) != kind || strncmp(own, name, kind) != 0)
		return NULL;
	json_array_foreach (json_object_get(spec, "devices"), i, item) {
		if (strcmp(json_text(item, "name", ""), name + kind + 1) == 0)
			return item;
	}
	return NULL;
}

/* The file with the device that counts; borrowed. */
static const json_t *find_file(const json_t *files, const char *name, size_t kind,
			       struct error *err)
{
	const json_t *found = NULL, *item;
	size_t i;

	json_array_foreach (files, i, item) {
		if (!find_device(json_object_get(item, "spec"), name, kind))
			continue;
		if (found && json_equal(json_object_get(found, "directory"),
					json_object_get(item, "directory"))) {
			error_set(err, ERROR_INTEGRITY, "CDI device \"%s\" is in both %s and %s",
				  name, json_text(found, "file", ""), json_text(item, "file", ""));
			return NULL;
		}
		found = item;
	}
	if (!found)
		error_set(err, ERROR_NOT_FOUND, "no file has the CDI device \"%s\"", name);
	return found;
}

/* The changes of a file or of one of its devices, where it has some. */
static void add_edits(json_t *result, const char *path, const json_t *from)
{
	json_t *changes = json_object_get(from, "containerEdits");

	if (changes)
		json_array_append_new(result,
				      json_pack("{s:s, s:O}", "file", path, "edits", changes));
}

json_t *cdi_find(const json_t *names, const json_t *directories, struct error *err)
{
	json_auto_t *usual = json_pack("[s, s]", "/etc/cdi", "/run/cdi");
	json_auto_t *files = read_directories(directories ? directories : usual);
	json_auto_t *used = json_object(), *result = json_array();
	json_t *item;
	size_t i;

	json_array_foreach (names, i, item) {
		const char *name = json_string_value(item);
		size_t kind = strcspn(name, "="); /* its length */
		const json_t *file = find_file(files, name, kind, err);
		if (!file)
			return NULL;
		const json_t *spec = json_object_get(file, "spec");
		const char *path = json_text(file, "file", "");
		if (!json_object_get(used, path))
			add_edits(result, path, spec);
		json_object_set_new(used, path, json_true());
		add_edits(result, path, find_device(spec, name, kind));
	}
	return json_incref(result);
}
