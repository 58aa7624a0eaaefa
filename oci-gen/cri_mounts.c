/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of a ContainerConfig. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/selinux.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOUNTINFO_MAX = 16 << 20 };

/* What /proc/self/mountinfo says of the propagation of the mount on which a path lies. The caller
 * frees it. */
static char *propagation_of(const char *path, struct error *err)
{
	enum { FIELDS_BEFORE = 6 };
	struct statx at;
	size_t size;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &at) < 0)
		return error_os(err, "%s", path), NULL;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &size, err);
	char *rest = text;
	if (!text)
		return NULL;
	while (rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (strtoull(line, NULL, 10) != at.stx_mnt_id)
			continue;
		for (int i = 0; i < FIELDS_BEFORE && line; i++)
			strsep(&line, " ");
		char *end = line ? strstr(line, "- ") : NULL;
		return xstrndup(line, end ? (size_t)(end - line) : 0);
	}
	return xstrdup("");
}

/* Propagation to or from a mount that does not share would be none, without a word. */
static int check_propagation(const char *source, bool both_ways, struct error *err)
{
	cleanup_free char *propagation = propagation_of(source, err);

	if (!propagation)
		return -1;
	if (strstr(propagation, "shared:") || (!both_ways && strstr(propagation, "master:")))
		return 0;
	return error_set(err, ERROR_UNSUPPORTED,
			 "%s lies on a mount that is not shared%s, so its "
			 "mounts cannot propagate",
			 source, both_ways ? "" : " or a slave");
}

static int propagation_option(struct generation *g, const json_t *mount, const char *source,
			      const char **option, struct error *err)
{
	const char *mode = json_text(mount, "propagation", "PROPAGATION_PRIVATE");
	bool both_ways = strcmp(mode, "PROPAGATION_BIDIRECTIONAL") == 0;
	const char *rootfs = json_string_value(pointer_get(g->config, "/linux/rootfsPropagation"));

	*option = "rprivate";
	if (strcmp(mode, "PROPAGATION_PRIVATE") == 0)
		return 0;
	if (check_propagation(source, both_ways, err) < 0)
		return -1;
	*option = both_ways ? "rshared" : "rslave";
	/* the root itself must let it through, for the mount that needs most */
	if (both_ways || !rootfs)
		pointer_set(g->config, "/linux/rootfsPropagation", json_string(*option));
	return 0;
}

static int check_mount(const json_t *mount, struct error *err)
{
	const char *to = json_text(mount, "containerPath", "");
	const char *from = json_text(mount, "hostPath", "");
	const json_t *image = json_object_get(mount, "image");
	bool readonly = json_flag(mount, "readonly");

	if (*to != '/' || !to[strspn(to, "/")] || (!image && *from != '/'))
		return error_set(err, ERROR_INTEGRITY, "lacks absolute paths");
	if (image && *from)
		return error_set(err, ERROR_INTEGRITY, "has both an image and a hostPath");
	if (image && !readonly)
		return error_set(err, ERROR_INTEGRITY, "has an image but is not readonly");
	if (!image && json_object_get(mount, "imageSubPath"))
		return error_set(err, ERROR_INTEGRITY, "has an imageSubPath but no image");
	if (json_flag(mount, "recursiveReadOnly") &&
	    (!readonly || json_object_get(mount, "propagation")))
		return error_set(err, ERROR_INTEGRITY,
				 "recursiveReadOnly needs a readonly mount with private "
				 "propagation");
	return 0;
}

/* A directory or file of the mounted image, which may have links that mean to lead out of it. */
static char *path_in_image(const char *root, const char *path, struct error *err)
{
	char resolved[PATH_MAX];
	cleanup_fd int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		error_os(err, "image at %s", root);
		return NULL;
	}
	cleanup_fd int fd = path_open_in_root(root_fd, path, O_PATH, err);
	if (fd < 0) {
		error_prefix(err, "imageSubPath");
		return NULL;
	}
	cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, resolved, sizeof resolved - 1);
	if (length < 0) {
		error_os(err, "imageSubPath %s", path);
		return NULL;
	}
	return xstrndup(resolved, (size_t)length);
}

/* What is to be mounted; an image is where the caller has mounted it. The caller frees it. */
static char *mount_source(const json_t *cri, const json_t *mount, struct error *err)
{
	const json_t *image = json_object_get(mount, "image");
	const char *name = json_text(image, "image", "");
	const char *root = json_text(json_path(cri, "sandbox", "images", NULL), name, "");
	const char *path = json_text(mount, "imageSubPath", NULL);

	if (!image)
		return xstrdup(json_text(mount, "hostPath", ""));
	if (root[0] == '/')
		return path ? path_in_image(root, path, err) : xstrdup(root);
	error_set(err, ERROR_USAGE, "where image \"%s\" is mounted is not known", name);
	error_hint(err, "the document's cri.sandbox.images{\"%s\"} is its path", name);
	return NULL;
}

/* Further options: those that a bind mount can have for itself. */
static int add_options(json_t *options, const json_t *wanted, struct error *err)
{
	static const char *const allowed[] = { "nosuid",   "nodev",	  "noexec",
					       "noatime",  "nodiratime",  "nosymfollow",
					       "relatime", "strictatime", NULL };
	json_t *item;
	size_t i;

	json_array_foreach (wanted, i, item) {
		if (!known_in(allowed, json_string_value(item)))
			return error_set(err, ERROR_INTEGRITY,
					 "mountOptions has \"%s\", which is none of a bind mount",
					 json_string_value(item));
		json_array_append(options, item);
	}
	return 0;
}

/* Ids of the files as the container sees them. */
static int add_mappings(json_t *entry, const json_t *mount, struct error *err)
{
	static const char *const keys[] = { "uidMappings", "gidMappings" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *list = json_object_get(mount, keys[i]);
		json_t *mappings = NULL;

		if (!list)
			continue;
		if (cri_mappings(list, keys[i], &mappings, err) < 0)
			return -1;
		json_object_set_new(entry, keys[i], mappings);
	}
	if (!json_object_get(entry, keys[0]) != !json_object_get(entry, keys[1]))
		return error_set(err, ERROR_INTEGRITY, "has mappings of either users or groups");
	/* else a runtime that does not know of them would pass over them */
	if (json_object_get(entry, keys[0]))
		json_array_append_new(json_object_get(entry, "options"), json_string("idmap"));
	return 0;
}

/* The files get the label by which the container may use them; not when nothing is to come of it.
 */
static int relabel(const struct generation *g, const json_t *mount, const char *source,
		   struct error *err)
{
	const char *label = json_string_value(pointer_get(g->config, "/linux/mountLabel"));

	if (!label || g->trace || !json_flag(mount, "selinuxRelabel") ||
	    json_object_get(mount, "image"))
		return 0;
	return selinux_relabel(source, label, err);
}

/* An image is mounted nosuid and nodev, which in a user namespace none can take off: a runtime that
 * is not told so fails in making its own mount read-only. */
static const char *access_options(const json_t *mount)
{
	bool image = json_object_get(mount, "image");

	if (json_flag(mount, "recursiveReadOnly"))
		return image ? "ro,rro,nosuid,nodev" : "ro,rro";
	if (json_flag(mount, "readonly"))
		return image ? "ro,nosuid,nodev" : "ro";
	return "rw";
}

static int apply_mount(struct generation *g, const json_t *cri, const json_t *mount,
		       struct error *err)
{
	const char *propagation;

	if (check_mount(mount, err) < 0)
		return -1;
	cleanup_free char *source = mount_source(cri, mount, err);
	if (!source || propagation_option(g, mount, source, &propagation, err) < 0 ||
	    relabel(g, mount, source, err) < 0)
		return -1;

	cleanup_free char *options = xasprintf("rbind,%s,%s", propagation, access_options(mount));
	json_auto_t *entry =
		mount_new(json_text(mount, "containerPath", ""), "bind", source, options);
	if (add_options(json_object_get(entry, "options"), json_object_get(mount, "mountOptions"),
			err) < 0 ||
	    add_mappings(entry, mount, err) < 0)
		return -1;
	generation_put_mount(g, json_incref(entry));
	return 0;
}

/* Containers that share their IPC share /dev/shm with it. */
static int apply_shm(struct generation *g, const json_t *cri, struct error *err)
{
	const char *path = strcmp(cri_namespace_mode(cri, "ipc"), "NODE") == 0
				   ? "/dev/shm"
				   : json_text(json_object_get(cri, "sandbox"), "shm", "");

	if (path[0] != '/') {
		error_set(err, ERROR_USAGE, "the /dev/shm of the pod is not known");
		return error_hint(err, "the document's cri.sandbox.shm is its path");
	}
	generation_put_mount(
		g, mount_new("/dev/shm", "bind", path, "rbind,rprivate,nosuid,nodev,noexec,rw"));
	return 0;
}

int cri_apply_mounts(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *item;
	size_t i;

	if (apply_shm(g, cri, err) < 0)
		return -1;
	json_array_foreach (json_path(cri, "container", "mounts", NULL), i, item) {
		if (apply_mount(g, cri, item, err) < 0)
			return error_prefix(err, "the document's cri.container.mounts[%zu]", i);
	}
	return 0;
}
