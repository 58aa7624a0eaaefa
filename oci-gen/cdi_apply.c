/* SPDX-License-Identifier: Apache-2.0 */
/* The changes that a CDI file asks for, made to the configuration (CDI, "OCI Edits"). */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/cdi.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int apply_env(struct generation *g, const json_t *list, struct error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item);

		if (*text == '=' || !strchr(text, '='))
			return error_set(err, ERROR_INTEGRITY, "CDI: \"%s\" is not NAME=VALUE",
					 text);
		generation_set_env(g, text);
	}
	return 0;
}

static const char *type_of(mode_t mode)
{
	return S_ISCHR(mode) ? "c" : S_ISBLK(mode) ? "b" : S_ISFIFO(mode) ? "p" : "";
}

/* What the host's node says, where the file does not: mode, type and numbers. It need not be there
 * for a file that says what the device is. */
static int look_at_node(const json_t *node, json_t *device, struct error *err)
{
	const char *path = json_text(node, "hostPath", json_text(node, "path", ""));
	const char *type = json_text(node, "type", NULL);
	bool numbered = json_object_get(node, "major");
	struct stat st;
	bool there = stat(path, &st) == 0;
	const char *found = there ? type_of(st.st_mode) : "";

	if (*found && !json_object_get(node, "fileMode"))
		json_object_set_new(device, "fileMode", json_integer(st.st_mode & 07777));
	if (type && (numbered || strcmp(type, "p") == 0))
		return 0;
	if (!there)
		return error_os(err, "CDI device node %s", path);
	if (!*found || (type && strcmp(type, found) != 0 && strcmp(type, "u") != 0))
		return error_set(err, ERROR_INTEGRITY, "CDI device node %s is not a device%s%s",
				 path, type ? " of type " : "", type ? type : "");
	json_object_set_new(device, "type", json_string(found));
	if (*found == 'p' || numbered)
		return 0;
	json_object_set_new(device, "major", json_integer(major(st.st_rdev)));
	json_object_set_new(device, "minor", json_integer(minor(st.st_rdev)));
	return 0;
}

/* A node belongs to the user of the process, unless the file says otherwise. */
static void set_owner(const struct generation *g, json_t *device, const char *key,
		      const char *pointer)
{
	json_t *id = pointer_get(g->config, pointer);

	if (!json_object_get(device, key) && json_integer_value(id) > 0)
		json_object_set(device, key, id);
}

static void allow(struct generation *g, const json_t *device, const char *permissions)
{
	const char *type = json_text(device, "type", "");

	if (strcmp(type, "p") == 0 || strcmp(permissions, "none") == 0)
		return;
	json_array_append_new(pointer_array(g->config, "/linux/resources/devices"),
			      json_pack("{s:b, s:s, s:O, s:O, s:s}", "allow", 1, "type",
					strcmp(type, "u") == 0 ? "c" : type, "major",
					json_object_get(device, "major"), "minor",
					json_object_get(device, "minor"), "access", permissions));
}

static int apply_node(struct generation *g, const json_t *node, struct error *err)
{
	static const char *const copied[] = { "major", "minor", "fileMode", "uid", "gid" };
	const char *path = json_text(node, "path", "");
	json_t *devices = pointer_array(g->config, "/linux/devices");
	json_auto_t *device =
		json_pack("{s:s, s:s}", "path", path, "type", json_text(node, "type", ""));

	if (*path != '/')
		return error_set(err, ERROR_INTEGRITY, "CDI: deviceNodes lack an absolute path");
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (json_object_get(node, copied[i]))
			json_object_set(device, copied[i], json_object_get(node, copied[i]));
	if (json_object_get(device, "major") && !json_object_get(device, "minor"))
		json_object_set_new(device, "minor", json_integer(0));
	if (look_at_node(node, device, err) < 0)
		return -1;
	set_owner(g, device, "uid", "/process/user/uid");
	set_owner(g, device, "gid", "/process/user/gid");
	json_array_remove(devices, setting_find(devices, "path", path));
	json_array_append(devices, device);
	allow(g, device, json_text(node, "permissions", "rwm"));
	return 0;
}

static int apply_net_device(struct generation *g, const json_t *item, struct error *err)
{
	const char *host = json_text(item, "hostInterfaceName", NULL);
	const char *name = json_text(item, "name", NULL);

	if (!host || !name)
		return error_set(err, ERROR_INTEGRITY,
				 "CDI: netDevices lack a hostInterfaceName or a name");
	json_object_set_new(pointer_object(g->config, "/linux/netDevices"), host,
			    json_pack("{s:s}", "name", name));
	return 0;
}

/* Vendors leave out what a mount is, as CDI's own examples do, and mean what runtimes do only with
 * the option: a bind mount. */
static json_t *mount_options(const json_t *item)
{
	const char *type = json_text(item, "type", "bind");
	json_t *options = json_copy(json_object_get(item, "options"));

	if (strcmp(type, "bind") != 0 || json_has_text(options, "bind") ||
	    json_has_text(options, "rbind"))
		return options;
	if (!options)
		options = json_array();
	json_array_insert_new(options, 0, json_string("rbind"));
	return options;
}

static int apply_mount(struct generation *g, const json_t *item, struct error *err)
{
	json_t *mount = json_object(), *options = mount_options(item);
	const char *type = json_text(item, "type", NULL);

	json_object_set_new(mount, "destination",
			    json_string(json_text(item, "containerPath", "")));
	json_object_set_new(mount, "source", json_string(json_text(item, "hostPath", "")));
	if (type)
		json_object_set_new(mount, "type", json_string(type));
	if (options)
		json_object_set_new(mount, "options", options);
	generation_put_mount(g, mount);
	if (json_object_get(item, "containerPath") && json_object_get(item, "hostPath"))
		return 0;
	return error_set(err, ERROR_INTEGRITY, "CDI: mounts lack a hostPath or a containerPath");
}

static int apply_hook(struct generation *g, const json_t *item, struct error *err)
{
	static const char *const names[] = { "prestart",
					     "createRuntime",
					     "createContainer",
					     "startContainer",
					     "poststart",
					     "poststop",
					     NULL };
	const char *name = json_text(item, "hookName", "");

	if (!known_in(names, name))
		return error_set(err, ERROR_INTEGRITY, "CDI: \"%s\" is not a hook", name);

	cleanup_free char *pointer = xasprintf("/hooks/%s", name);
	json_t *hook = json_copy((json_t *)item);
	json_object_del(hook, "hookName");
	json_array_append_new(pointer_array(g->config, pointer), hook);
	return 0;
}

static int apply_group(struct generation *g, const json_t *id, struct error *err)
{
	json_int_t number = json_integer_value(id);
	json_t *groups, *item;
	size_t i;

	if (number < 0 || number >= UINT32_MAX)
		return error_set(err, ERROR_INTEGRITY, "CDI: a group is not the number of one");
	if (number == 0)
		return 0; /* passed over, as CDI says */
	groups = pointer_array(g->config, "/process/user/additionalGids");
	json_array_foreach (groups, i, item) {
		if (json_equal(item, id))
			return 0;
	}
	json_array_append(groups, (json_t *)id);
	return 0;
}

int cdi_apply(struct generation *g, const json_t *edits, struct error *err)
{
	static const struct {
		const char *key;
		int (*apply)(struct generation *g, const json_t *item, struct error *err);
	} lists[] = {
		{ "deviceNodes", apply_node },	   { "netDevices", apply_net_device },
		{ "mounts", apply_mount },	   { "hooks", apply_hook },
		{ "additionalGids", apply_group },
	};
	json_t *rdt = json_object_get(edits, "intelRdt");
	const json_t *item;
	size_t i;

	if (apply_env(g, json_object_get(edits, "env"), err) < 0)
		return -1;
	for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
		json_array_foreach (json_object_get(edits, lists[list].key), i, item) {
			if (lists[list].apply(g, item, err) < 0)
				return -1;
		}
	if (rdt)
		pointer_set(g->config, "/linux/intelRdt", json_deep_copy(rdt));
	return 0;
}
