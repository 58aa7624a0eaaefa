/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/upper.h"

#include "ctr-store/archive.h"
#include "ctr-store/backend.h"
#include "ctr-store/container.h"
#include "ctr-store/copied.h"
#include "ctr-store/id_map.h"
#include "ctr-store/layer.h"
#include "ctr-store/overlay.h"
#include "ctr-store/root_directory.h"
#include "ctr-store/tree_walk.h"
#include "ctr-store/volatile.h"
#include "ctr-store/xattrs.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char whiteout_prefix[] = ".wh.";

struct upper {
	int fd;
	int lower_fd; /* the layers beneath, merged: a mount that is attached nowhere */
	int held;     /* so that their root directory stays */
};

static void upper_close(struct upper *upper)
{
	cleanup_fd_p(&upper->fd);
	cleanup_fd_p(&upper->lower_fd);
	cleanup_fd_p(&upper->held);
}

/* With the look of the image's "/", as a read-only mount of it has, and the owners of the host. */
static int open_lower(const struct store *store, const json_t *container, int *held,
		      struct error *err)
{
	cleanup_strings struct strings layers = { 0 };

	if (layer_parse_ids(json_object_get(container, "layers"), &layers, err) < 0)
		return -1;
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	if (gate < 0 || root_directory_add(store, &layers, NULL, held, err) < 0)
		return -1;
	const struct id_maps maps = id_maps_of(container);
	const struct overlay overlay = { .layers = &layers,
					 .maps = &maps,
					 .source = "ocid:diff",
					 .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	return overlay_open(store, &overlay, err);
}

static int open_written(const struct store *store, const json_t *container, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/upper", json_text(container, "id", ""));
	int fd =
		openat(store->containers_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? error_os(err, "container %s", path) : fd;
}

static int upper_open(const struct store *store, const json_t *container, struct upper *upper,
		      struct error *err)
{
	if (volatile_check(container, err) < 0)
		return -1;
	cleanup_fd int fd = backend_is_copy(container) ? container_open_copy(store, container, err)
						       : open_written(store, container, err);
	if (fd < 0)
		return -1;
	cleanup_fd int held = -1;
	int lower_fd = open_lower(store, container, &held, err);
	if (lower_fd < 0)
		return -1;
	*upper = (struct upper){ steal_fd(&fd), lower_fd, steal_fd(&held) };
	return 0;
}

/* What the layers have at the path: 1, or 0 when nothing. */
static int find_lower(const struct upper *upper, const char *path, struct stat *st,
		      struct error *err)
{
	cleanup_fd int fd = tree_open(upper->lower_fd, path, err);

	if (fd < 0)
		return tree_is_absent(err) ? 0 : -1;
	return fstatat(fd, "", st, AT_EMPTY_PATH) < 0 ? error_os(err, "/%s", path) : 1;
}

/* Whether nothing of the layers shows in the directory: 1 or 0. */
static int is_opaque(const struct tree_entry *entry, struct error *err)
{
	cleanup_fd int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return xattr_is_opaque(fd, err);
	error_os(err, "cannot open");
	return tree_is_absent(err) ? 0 : -1;
}

static bool same_look(const struct stat *one, const struct stat *other)
{
	return one->st_mode == other->st_mode && one->st_uid == other->st_uid &&
	       one->st_gid == other->st_gid;
}

/* ---- changes ---- */

struct listing {
	const struct upper *upper;
	json_t *list;
};

static void list(const struct listing *listing, const char *path, const char *kind, bool opaque)
{
	cleanup_free char *full = xasprintf("/%s", path);
	json_t *change = json_pack("{s:s, s:s}", "path", full, "kind", kind);

	/* JSON holds no name that is not UTF-8 */
	for (char *c = full; !change && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	if (!change)
		change = json_pack("{s:s, s:s}", "path", full, "kind", kind);
	if (opaque)
		json_object_set_new(change, "opaque", json_true());
	json_array_append_new(listing->list, change);
}

static int list_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	const struct listing *listing = context;
	struct stat lower;
	int there = find_lower(listing->upper, entry->path, &lower, err);
	bool is_dir = S_ISDIR(entry->st->st_mode);
	int opaque = is_dir && entry->path[0] && there > 0 ? is_opaque(entry, err) : 0;

	if (there < 0 || opaque < 0)
		return error_prefix(err, "/%s", entry->path);
	if (tree_is_whiteout(entry->st)) {
		if (there)
			list(listing, entry->path, "removed", false);
		return 0;
	}
	/* a directory may be here only for what is in it */
	if (is_dir && there && !opaque && same_look(entry->st, &lower) &&
	    (!entry->path[0] || (entry->st->st_mtim.tv_sec == lower.st_mtim.tv_sec &&
				 entry->st->st_mtim.tv_nsec == lower.st_mtim.tv_nsec)))
		return 0;
	list(listing, entry->path, there ? "changed" : "added", opaque);
	return 0;
}

static int list_difference(const struct tree_entry *entry, const char *kind, void *context,
			   struct error *err)
{
	(void)err;
	list(context, entry->path, kind, false);
	return 0;
}

json_t *upper_changes(const struct store *store, const json_t *container, struct error *err)
{
	__attribute__((cleanup(upper_close))) struct upper upper = { -1, -1, -1 };
	json_auto_t *changes = json_array();
	struct listing listing = { &upper, changes };

	if (upper_open(store, container, &upper, err) < 0)
		return NULL;
	int status = backend_is_copy(container) ? copied_compare(upper.fd, upper.lower_fd,
								 list_difference, &listing, err)
						: tree_walk(upper.fd, list_entry, &listing, err);
	return status < 0 ? NULL : json_incref(changes);
}

/* ---- archive ---- */

struct layer {
	const struct upper *upper;
	struct archive archive;
};

static int write_marker(struct layer *layer, const struct tree_entry *entry, struct error *err)
{
	size_t parent_length = strlen(entry->path) - strlen(entry->name);
	cleanup_free char *marker = xasprintf("%.*s%s%s", (int)parent_length, entry->path,
					      whiteout_prefix, entry->name);

	return archive_add_marker(&layer->archive, marker, err);
}

static int write_opaque(struct layer *layer, const struct tree_entry *entry, struct error *err)
{
	cleanup_free char *marker = xasprintf("%s/.wh..wh..opq", entry->path);
	int opaque = is_opaque(entry, err);

	return opaque > 0 ? archive_add_marker(&layer->archive, marker, err) : opaque;
}

/* Where the layers have nothing, or no directory, there is nothing to hide. */
static int write_entry(struct layer *layer, const struct tree_entry *entry, struct error *err)
{
	bool is_top = entry->path[0] == '\0', is_dir = S_ISDIR(entry->st->st_mode);
	bool is_whiteout = tree_is_whiteout(entry->st);
	struct stat lower;
	int there = is_dir || is_whiteout ? find_lower(layer->upper, entry->path, &lower, err) : 0;

	if (there < 0)
		return -1;
	if (is_whiteout)
		return there ? write_marker(layer, entry, err) : 0;
	if (is_top && there && same_look(entry->st, &lower))
		return 0;
	if (strncmp(entry->name, whiteout_prefix, strlen(whiteout_prefix)) == 0)
		return error_set(err, ERROR_UNSUPPORTED, "a layer cannot hold such a name");
	/* made from within; nothing could unpack it */
	if (strlen(entry->path) >= PATH_MAX)
		return error_set(err, ERROR_UNSUPPORTED, "a layer cannot hold so long a path");
	if (archive_add(&layer->archive, entry, err) < 0)
		return -1;
	return is_dir && !is_top && there && S_ISDIR(lower.st_mode)
		       ? write_opaque(layer, entry, err)
		       : 0;
}

static int layer_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	return write_entry(context, entry, err) < 0 ? error_prefix(err, "/%s", entry->path) : 0;
}

static int write_difference(const struct tree_entry *entry, const char *kind, void *context,
			    struct error *err)
{
	if (strcmp(kind, "removed") != 0)
		return layer_entry(entry, context, err);
	return write_marker(context, entry, err) < 0 ? error_prefix(err, "/%s", entry->path) : 0;
}

int upper_archive(const struct store *store, const json_t *container, struct tar_writer *tar,
		  size_t *entries, struct error *err)
{
	__attribute__((cleanup(upper_close))) struct upper upper = { -1, -1, -1 };
	struct layer layer = { .upper = &upper };

	if (upper_open(store, container, &upper, err) < 0)
		return -1;
	archive_start(&layer.archive, tar, container);
	layer.archive.is_layer = true;
	int status = backend_is_copy(container) ? copied_compare(upper.fd, upper.lower_fd,
								 write_difference, &layer, err)
						: tree_walk(upper.fd, layer_entry, &layer, err);
	*entries = layer.archive.entries;
	archive_free(&layer.archive);
	return status;
}
