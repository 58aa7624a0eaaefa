/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a ContainerConfig. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/cdi.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"
#include "oci-gen/walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* In place of another node with that path. */
static void put_device(struct generation *g, const char *path, const struct stat *st)
{
	json_t *devices = pointer_array(g->config, "/linux/devices");

	json_array_remove(devices, setting_find(devices, "path", path));
	json_array_append_new(devices,
			      json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "path", path, "type",
					S_ISBLK(st->st_mode) ? "b" : "c", "major",
					(json_int_t)major(st->st_rdev), "minor",
					(json_int_t)minor(st->st_rdev), "uid",
					(json_int_t)st->st_uid, "gid", (json_int_t)st->st_gid,
					"fileMode", (json_int_t)(st->st_mode & 0777)));
}

/* The node, and the right to use what it stands for. */
static void allow_device(struct generation *g, const char *path, const struct stat *st,
			 const char *access)
{
	put_device(g, path, st);
	json_array_append_new(pointer_array(g->config, "/linux/resources/devices"),
			      json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1, "type",
					S_ISBLK(st->st_mode) ? "b" : "c", "major",
					(json_int_t)major(st->st_rdev), "minor",
					(json_int_t)minor(st->st_rdev), "access", access));
}

/* Each device of a directory of the host, at the same place beneath the container's path. */
static int apply_directory(struct generation *g, const char *path, const char *to,
			   const char *access, struct error *err)
{
	cleanup_free char *root = realpath(path, NULL);
	size_t found = 0;
	FTSENT *entry;
	int status;

	if (!root)
		return error_os(err, "device directory %s", path);
	FTS *tree = walk_open(root, 0, err);
	if (!tree)
		return -1;
	while ((status = walk_next(tree, &entry, err)) > 0) {
		if (entry->fts_info != FTS_DEFAULT || !is_device(entry->fts_statp))
			continue;
		cleanup_free char *node = xasprintf("%s%s", to, entry->fts_path + strlen(root));
		allow_device(g, node, entry->fts_statp, access);
		found++;
	}
	fts_close(tree);
	return found || status < 0
		       ? status
		       : error_set(err, ERROR_NOT_FOUND, "no devices in directory %s", path);
}

static int apply_device(struct generation *g, const json_t *device, struct error *err)
{
	const char *path = json_text(device, "hostPath", "");
	const char *to = json_text(device, "containerPath", path);
	const char *access = json_text(device, "permissions", "rwm");
	struct stat st;

	if (*path != '/' || *to != '/' || access[strspn(access, "rwm")])
		return error_set(err, ERROR_INTEGRITY,
				 "device \"%s\" lacks absolute paths or has permissions other than "
				 "rwm",
				 path);
	if (stat(path, &st) < 0)
		return error_os(err, "device %s", path);
	if (S_ISDIR(st.st_mode))
		return apply_directory(g, path, to, access, err);
	if (!is_device(&st))
		return error_set(err, ERROR_INTEGRITY, "%s is not a device", path);
	allow_device(g, to, &st, access);
	return 0;
}

/* Directories of /dev that are mounts of the container's own, and nodes that its runtime makes. */
static bool is_own_device(const char *path)
{
	static const char *const own[] = { "/dev/pts",	  "/dev/shm",	  "/dev/mqueue",
					   "/dev/fd",	  "/dev/console", "/dev/ptmx",
					   "/dev/null",	  "/dev/zero",	  "/dev/full",
					   "/dev/random", "/dev/urandom", "/dev/tty" };

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

/* A privileged container has the devices of the host. */
static int apply_host_devices(struct generation *g, struct error *err)
{
	FTS *tree = walk_open("/dev", FTS_XDEV, err);
	FTSENT *entry;
	int status;

	if (!tree)
		return -1;
	while ((status = walk_next(tree, &entry, err)) > 0) {
		if (is_own_device(entry->fts_path))
			fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_DEFAULT && is_device(entry->fts_statp))
			put_device(g, entry->fts_path, entry->fts_statp);
	}
	fts_close(tree);
	return status;
}

static int add_name(struct generation *g, const char *name, struct error *err)
{
	json_t *item;
	size_t i;

	if (cdi_check_name(name, err) < 0) {
		err->kind = ERROR_INTEGRITY; /* of the document, not an option's */
		return -1;
	}
	json_array_foreach (g->cdi_devices, i, item) {
		if (strcmp(json_string_value(item), name) == 0)
			return 0;
	}
	json_array_append_new(g->cdi_devices, json_string(name));
	return 0;
}

/* By name, with commas between: older device plugins have only annotations for it. */
static int add_names(struct generation *g, const char *text, struct error *err)
{
	cleanup_free char *names = xstrdup(text);
	char *rest = names;

	while (rest)
		if (add_name(g, strsep(&rest, ","), err) < 0)
			return -1;
	return 0;
}

/* Devices that vendors describe in files (CDI). */
static int apply_named(struct generation *g, const json_t *container, struct error *err)
{
	static const char prefix[] = "cdi.k8s.io/";
	const char *key;
	json_t *item;
	size_t i;

	json_object_foreach (json_object_get(container, "annotations"), key, item) {
		if (strncmp(key, prefix, strlen(prefix)) == 0 &&
		    add_names(g, json_string_value(item), err) < 0)
			return -1;
	}
	json_array_foreach (json_object_get(container, "CDIDevices"), i, item) {
		if (add_name(g, json_text(item, "name", ""), err) < 0)
			return -1;
	}
	return 0;
}

int cri_apply_devices(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *container = json_object_get(cri, "container"), *item;
	const json_t *context = json_path(container, "linux", "securityContext", NULL);
	size_t i;

	if (json_flag(context, "privileged") && apply_host_devices(g, err) < 0)
		return -1;
	json_array_foreach (json_object_get(container, "devices"), i, item) {
		if (apply_device(g, item, err) < 0)
			return -1;
	}
	return apply_named(g, container, err);
}
