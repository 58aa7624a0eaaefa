/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and devices of a ContainerConfig. */
#include "oci-gen/cri.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MOUNTINFO_MAX = 16 << 20 };

/* One mount of /proc/self/mountinfo: true when it holds the path; *optional are its fields about
 * propagation, up to " - ". The line is changed. Mount points with spaces are escaped (\040). */
static bool mount_holds(char *line, const char *path, size_t *length, const char **optional)
{
	char *rest = line;
	const char *point = NULL;

	for (int field = 0; field < 6 && rest; field++) {
		const char *text = strsep(&rest, " ");

		if (field == 4)
			point = text;
	}
	if (!point || !rest)
		return false;

	char *end = strstr(rest, "- ");
	if (end)
		*end = '\0';
	*optional = rest;
	*length = strcmp(point, "/") == 0 ? 0 : strlen(point);
	return strncmp(path, point, *length) == 0 && (!path[*length] || path[*length] == '/');
}

/* The propagation of the mount on which a path lies: the last of the deepest. The caller frees it.
 */
static char *propagation_of(const char *path, struct error *err)
{
	size_t size, deepest = 0, length;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &size, err);
	cleanup_free char *found = xstrdup("");
	char *rest = text;

	if (!text)
		return NULL;
	while (rest && *rest) {
		char *line = strsep(&rest, "\n");
		const char *optional;

		if (!mount_holds(line, path, &length, &optional) || length < deepest)
			continue;
		deepest = length;
		free(found);
		found = xstrdup(optional);
	}
	return steal_ptr(&found);
}

/* Propagation to or from a mount that does not share would be none, without a word. */
static int check_propagation(const char *source, bool both_ways, struct error *err)
{
	cleanup_free char *path = realpath(source, NULL);
	if (!path)
		return error_os(err, "%s", source);

	cleanup_free char *propagation = propagation_of(path, err);
	if (!propagation)
		return -1;
	if (strstr(propagation, "shared:") || (!both_ways && strstr(propagation, "master:")))
		return 0;
	return error_set(err, ERROR_UNSUPPORTED,
			 "%s lies on a mount that is not shared%s, so its "
			 "mounts cannot propagate",
			 source, both_ways ? "" : " or a slave");
}

static int propagation_option(struct generation *g, const json_t *mount, const char **option,
			      struct error *err)
{
	const char *mode = json_text(mount, "propagation", "PROPAGATION_PRIVATE");
	bool both_ways = strcmp(mode, "PROPAGATION_BIDIRECTIONAL") == 0;
	const char *rootfs = json_string_value(pointer_get(g->config, "/linux/rootfsPropagation"));

	*option = "rprivate";
	if (strcmp(mode, "PROPAGATION_PRIVATE") == 0)
		return 0;
	if (check_propagation(json_text(mount, "hostPath", ""), both_ways, err) < 0)
		return -1;
	*option = both_ways ? "rshared" : "rslave";
	/* the root itself must let it through, for the mount that needs most */
	if (both_ways || !rootfs)
		pointer_set(g->config, "/linux/rootfsPropagation", json_string(*option));
	return 0;
}

static int check_mount(const json_t *mount, size_t i, struct error *err)
{
	const char *to = json_text(mount, "containerPath", "");
	bool recursive = cri_flag(mount, "recursiveReadOnly");

	if (*to != '/' || !to[strspn(to, "/")] || *json_text(mount, "hostPath", "") != '/')
		return error_set(err, ERROR_INTEGRITY,
				 "the document's cri.container.mounts[%zu] lacks absolute paths",
				 i);
	if (recursive && (!cri_flag(mount, "readonly") || json_object_get(mount, "propagation")))
		return error_set(err, ERROR_INTEGRITY,
				 "the document's cri.container.mounts[%zu].recursiveReadOnly needs "
				 "a readonly mount with private propagation",
				 i);
	if (cri_flag(mount, "selinuxRelabel") && access("/sys/fs/selinux/enforce", F_OK) == 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "selinuxRelabel is not supported by this version");
	return 0;
}

static int apply_mount(struct generation *g, const json_t *mount, size_t i, struct error *err)
{
	const char *propagation, *access_option = cri_flag(mount, "readonly") ? "ro" : "rw";

	if (check_mount(mount, i, err) < 0 || propagation_option(g, mount, &propagation, err) < 0)
		return -1;
	if (cri_flag(mount, "recursiveReadOnly"))
		access_option = "ro,rro";
	cleanup_free char *options = xasprintf("rbind,%s,%s", propagation, access_option);
	mounts_put(pointer_array(g->config, "/mounts"),
		   mount_new(json_text(mount, "containerPath", ""), "bind",
			     json_text(mount, "hostPath", ""), options));
	return 0;
}

/* Containers that share their IPC share /dev/shm with it. */
static int apply_shm(struct generation *g, const json_t *cri, struct error *err)
{
	const char *ipc = json_string_value(json_path(cri, "container", "linux", "securityContext",
						      "namespaceOptions", "ipc", NULL));
	const char *path = ipc && strcmp(ipc, "NODE") == 0
				   ? "/dev/shm"
				   : json_text(json_object_get(cri, "sandbox"), "shm", "");

	if (path[0] != '/') {
		error_set(err, ERROR_USAGE, "the /dev/shm of the pod is not known");
		return error_hint(err, "the document's cri.sandbox.shm is its path");
	}
	mounts_put(pointer_array(g->config, "/mounts"),
		   mount_new("/dev/shm", "bind", path, "rbind,rprivate,nosuid,nodev,noexec,rw"));
	return 0;
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

static int apply_device(struct generation *g, const json_t *device, struct error *err)
{
	const char *path = json_text(device, "hostPath", "");
	const char *access = json_text(device, "permissions", "rwm");
	struct stat st;

	if (stat(path, &st) < 0)
		return error_os(err, "device %s", path);
	if (S_ISDIR(st.st_mode))
		return error_set(err, ERROR_UNSUPPORTED,
				 "device %s is a directory, which is not supported by this version",
				 path);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "%s is not a device", path);
	put_device(g, json_text(device, "containerPath", path), &st);
	json_array_append_new(pointer_array(g->config, "/linux/resources/devices"),
			      json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1, "type",
					S_ISBLK(st.st_mode) ? "b" : "c", "major",
					(json_int_t)major(st.st_rdev), "minor",
					(json_int_t)minor(st.st_rdev), "access", access));
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
	char root[] = "/dev";
	char *roots[] = { root, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	if (!tree)
		return error_os(err, "/dev");
	while ((entry = fts_read(tree))) {
		if (is_own_device(entry->fts_path))
			fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_DEFAULT &&
			 (S_ISCHR(entry->fts_statp->st_mode) || S_ISBLK(entry->fts_statp->st_mode)))
			put_device(g, entry->fts_path, entry->fts_statp);
	}
	fts_close(tree);
	return 0;
}

int cri_apply_mounts(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *container = json_object_get(cri, "container"), *item;
	const json_t *context = json_path(container, "linux", "securityContext", NULL);
	size_t i;

	if (apply_shm(g, cri, err) < 0)
		return -1;
	if (cri_flag(context, "privileged") && apply_host_devices(g, err) < 0)
		return -1;
	json_array_foreach (json_object_get(container, "mounts"), i, item) {
		if (apply_mount(g, item, i, err) < 0)
			return -1;
	}
	json_array_foreach (json_object_get(container, "devices"), i, item) {
		if (apply_device(g, item, err) < 0)
			return -1;
	}
	return 0;
}
