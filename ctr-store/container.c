/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/container.h"

#include "ctr-store/attach.h"
#include "ctr-store/container_name.h"
#include "ctr-store/erofs.h"
#include "ctr-store/id_map.h"
#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/quota.h"
#include "ctr-store/root_directory.h"
#include "ctr-store/tree_copy.h"
#include "ctr-store/volatile.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/staging.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_PREFIX_MIN = 4 };

const char *container_label(const json_t *container)
{
	return json_text(container, "name", json_text(container, "id", "?"));
}

int container_lock(const struct store *store, const json_t *container, struct error *err)
{
	return lock_take(store->locks_fd, "container", json_text(container, "id", ""),
			 LOCK_EXCLUSIVE, true, err);
}

bool container_has_id(const json_t *container, const char *text)
{
	return strcmp(json_text(container, "id", ""), text) == 0;
}

/* ---- finding ---- */

/* A power cut may leave an empty file: that is no container, as when there is none. */
static json_t *read_facts(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/rootfs.json", id);
	size_t length;
	cleanup_free char *text =
		file_read_at(store->containers_fd, path, JSON_CONFIG_MAX, &length, err);

	if (text && length == 0) {
		errno = ENOENT;
		error_os(err, "%s", path);
		return NULL;
	}
	return text ? json_parse(text, length, path, err) : NULL;
}

json_t *container_list(const struct store *store, struct error *err)
{
	cleanup_fd int fd = openat(store->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	json_auto_t *list = json_array();
	const struct dirent *entry;

	if (!dir) {
		error_os(err, "%s/containers", store->root);
		return NULL;
	}
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		struct error why;

		if (!path_is_id(entry->d_name))
			continue;
		json_t *facts = read_facts(store, entry->d_name, &why);
		if (facts)
			json_array_append_new(list, facts);
		else if (why.os != ENOENT && why.os != ENOTDIR)
			log_message(LOG_LEVEL_WARN, "container %s: %s", entry->d_name, why.message);
	}
	return json_incref(list);
}

static int no_container(const char *text, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", text);
	return error_hint(err, "see ctr-store containers");
}

/* The container that has this name, if any has. NULL with ERROR_NOT_FOUND. */
static json_t *find_by_name(const struct store *store, const char *name, struct error *err)
{
	cleanup_free char *id = container_name_find(store, name, err);
	json_auto_t *container = id ? read_facts(store, id, err) : NULL;

	if (id && !container && err->os != ENOENT)
		return NULL;
	if (container && strcmp(json_text(container, "name", ""), name) == 0)
		return json_incref(container);
	if (id || err->kind == ERROR_NOT_FOUND)
		no_container(name, err);
	return NULL;
}

/* The id that begins so; NULL with ERROR_NOT_FOUND, or ERROR_USAGE when several do. The caller
 * frees it. */
static char *complete_id(const struct store *store, const char *text, struct error *err)
{
	cleanup_fd int fd = openat(store->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	cleanup_free char *id = NULL;
	const struct dirent *entry;
	size_t length = strlen(text);

	if (!dir) {
		error_os(err, "%s/containers", store->root);
		return NULL;
	}
	steal_fd(&fd);
	while (length >= ID_PREFIX_MIN && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, text, length) != 0 || !path_is_id(entry->d_name))
			continue;
		if (id) {
			error_set(err, ERROR_USAGE, "\"%s\" means several containers", text);
			return NULL;
		}
		id = xstrdup(entry->d_name);
	}
	if (!id)
		no_container(text, err);
	return steal_ptr(&id);
}

json_t *container_find(const struct store *store, const char *text, struct error *err)
{
	if (!path_is_id(text)) {
		no_container(text, err);
		return NULL;
	}
	json_t *container = read_facts(store, text, err);
	if (container || err->os != ENOENT)
		return container;
	container = find_by_name(store, text, err);
	if (container || err->kind != ERROR_NOT_FOUND)
		return container;
	cleanup_free char *id = complete_id(store, text, err);
	container = id ? read_facts(store, id, err) : NULL;
	if (id && !container && err->os == ENOENT)
		no_container(text, err);
	return container;
}

/* ---- making ---- */

/* {"id", "name"?, "path", "bundle", "layers", "volatile"?}: the document's rootfs. */
static json_t *make_rootfs(const struct store *store, const struct container_plan *plan,
			   const char *id)
{
	cleanup_free char *bundle = xasprintf("%s/containers/%s", store->root, id);
	cleanup_free char *path = xasprintf("%s/rootfs", bundle);
	json_t *layers = json_array();

	for (size_t i = 0; i < plan->layers->count; i++)
		json_array_append_new(layers, json_string(plan->layers->items[i]));
	return json_pack("{s:s, s:s*, s:s, s:s, s:o, s:O*, s:O*, s:o*}", "id", id, "name",
			 plan->name, "path", path, "bundle", bundle, "layers", layers,
			 "uidMappings", plan->uid_map, "gidMappings", plan->gid_map, "volatile",
			 plan->lose_writes ? json_true() : NULL);
}

static json_t *make_facts(const struct container_plan *plan, const json_t *rootfs)
{
	char created[TIMESTAMP_SIZE];
	json_t *facts = json_copy((json_t *)rootfs);

	timestamp_now(created);
	json_object_set_new(facts, "image",
			    json_pack("{s:s*, s:s, s:s}", "name", plan->image->name, "id",
				      plan->image->id, "digest", plan->image->digest));
	json_object_set_new(facts, "created", json_string(created));
	if (plan->throwaway)
		json_object_set_new(facts, "throwaway", json_true());
	if (plan->copy)
		json_object_set_new(facts, "backend", json_string("copy"));
	return facts;
}

/* Write a file and start its way to the disk. Returns its descriptor. */
static int write_json(int dir_fd, const char *name, const json_t *json, struct error *err)
{
	cleanup_free char *text = json_compact(json);
	cleanup_fd int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot write %s", name);
	if (file_write_fd(fd, text, strlen(text), name, err) < 0)
		return -1;
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return steal_fd(&fd);
}

static bool is_written(int fd)
{
	const unsigned all =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	return sync_file_range(fd, 0, 0, all) == 0;
}

/* Once the data is written, the one sync of containers/ that follows the rename makes all of it
 * durable: a journal brings what was done before with it. Where a file system keeps no such order a
 * power cut leaves an empty rootfs.json, see read_facts(). */
static int write_files(const struct container_plan *plan, int dir_fd, const json_t *facts,
		       struct error *err)
{
	cleanup_fd int document_fd = write_json(dir_fd, "document.json", plan->document, err);
	cleanup_fd int facts_fd =
		document_fd < 0 ? -1 : write_json(dir_fd, "rootfs.json", facts, err);

	if (facts_fd < 0)
		return -1;
	if (plan->lose_writes)
		return 0;
	if (plan->copy ? syncfs(dir_fd) < 0 : !is_written(document_fd) || !is_written(facts_fd))
		return error_os(err, "cannot write a container's files to disk");
	return 0;
}

static int make_directories(const struct store *store, const struct container_plan *plan, int fd,
			    struct error *err)
{
	if (mkdirat(fd, "rootfs", 0700) < 0 ||
	    (!plan->copy && (mkdirat(fd, "upper", 0700) < 0 || mkdirat(fd, "work", 0700) < 0)))
		return error_os(err, "cannot make a container's directories");

	cleanup_fd int upper_fd =
		openat(fd, plan->copy ? "rootfs" : "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper_fd < 0)
		return error_os(err, "upper directory");
	const struct id_maps maps = { plan->uid_map, plan->gid_map };
	return root_directory_copy(store, plan->layers, &maps, upper_fd, err);
}

/* Fill rootfs/ with what the layers hold. */
static int copy_layers(const struct store *store, const struct container_plan *plan, int fd,
		       struct error *err)
{
	const struct id_maps maps = { plan->uid_map, plan->gid_map };
	cleanup_fd int rootfs_fd = openat(fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rootfs_fd < 0)
		return error_os(err, "rootfs");
	for (size_t i = 0; i < plan->layers->count; i++) {
		cleanup_free char *path = layer_tree(plan->layers->items[i]);
		cleanup_fd int layer_fd = erofs_open_tree(store->layers_fd, path, err);

		if (layer_fd < 0 || tree_copy_layer(layer_fd, rootfs_fd, &maps, err) < 0)
			return error_prefix(err, "layer %s", plan->layers->items[i]);
	}
	/* copying has changed its time */
	return root_directory_copy(store, plan->layers, &maps, rootfs_fd, err);
}

/* Its root user is nobody on the host, and must reach its root file system; others must not. */
static int admit_root(const struct container_plan *plan, int fd, struct error *err)
{
	if (!plan->uid_map && !plan->gid_map)
		return 0;
	if (fchown(fd, (uid_t)-1, id_map_to_host(plan->gid_map, 0)) < 0 || fchmod(fd, 0710) < 0)
		return error_os(err, "cannot open a container's directory to its root user");
	return 0;
}

/* Make and fill ROOT/tmp/<unique>/, which becomes the container's directory. It needs no lock of
 * its own: the gate, which the caller holds, keeps gc away. */
static int build(const struct store *store, const struct container_plan *plan, const char *unique,
		 json_t *facts, struct error *err)
{
	if (mkdirat(store->tmp_fd, unique, 0700) < 0)
		return error_os(err, "cannot make a directory in %s/tmp", store->root);

	cleanup_fd int fd =
		openat(store->tmp_fd, unique, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_os(err, "%s/tmp/%s", store->root, unique);
	if (make_directories(store, plan, fd, err) < 0 || admit_root(plan, fd, err) < 0 ||
	    (plan->lose_writes && volatile_mark(facts, err) < 0) ||
	    (plan->size_max && quota_set(store, fd, plan->size_max, facts, err) < 0) ||
	    (plan->copy && copy_layers(store, plan, fd, err) < 0))
		return -1;
	return write_files(plan, fd, facts, err);
}

/* A name belongs to one container: hold the lock of the name from here until the container is
 * there. */
static int claim_name(const struct store *store, const char *name, const char *id,
		      struct error *err)
{
	cleanup_fd int lock = lock_take(store->locks_fd, "name", name, LOCK_EXCLUSIVE, true, err);
	json_auto_t *other = lock < 0 ? NULL : read_facts(store, name, err);

	if (lock < 0 || (!other && err->os != ENOENT))
		return -1;
	if (!other)
		other = find_by_name(store, name, err);
	if (other)
		return error_set(err, ERROR_EXISTS, "container \"%s\" exists already (%s)", name,
				 json_text(other, "id", "?"));
	if (err->kind != ERROR_NOT_FOUND || container_name_set(store, name, id, err) < 0)
		return -1;
	return steal_fd(&lock);
}

static int check_plan(const struct container_plan *plan, struct error *err)
{
	if (plan->id && !path_is_id(plan->id))
		return error_set(err, ERROR_USAGE, "\"%s\" is not an id", plan->id);
	if (plan->name && !path_is_id(plan->name))
		return error_set(err, ERROR_USAGE, "\"%s\" cannot be a container's name",
				 plan->name);
	return 0;
}

/* Give the finished directory its name, and the container the one that people know it by. */
static int publish(const struct store *store, const struct container_plan *plan, const char *id,
		   const char *unique, struct error *err)
{
	cleanup_fd int name_lock = plan->name ? claim_name(store, plan->name, id, err) : -1;

	if (plan->name && name_lock < 0)
		return -1;
	if (renameat2(store->tmp_fd, unique, store->containers_fd, id, RENAME_NOREPLACE) < 0)
		return errno == EEXIST
			       ? error_set(err, ERROR_EXISTS, "container \"%s\" exists already", id)
			       : error_os(err, "cannot make container %s", id);
	if (plan->name)
		lock_discard(store->locks_fd, "name", plan->name);
	return plan->lose_writes ? 0 : file_sync_dir(store->containers_fd, "containers", err);
}

json_t *container_make(const struct store *store, const struct container_plan *plan, int *lock,
		       struct error *err)
{
	char random[RANDOM_ID_SIZE], unique[RANDOM_NAME_SIZE];
	const char *id = plan->id ? plan->id : random;
	struct error ignored;

	random_id(random);
	random_name(unique);
	if (check_plan(plan, err) < 0)
		return NULL;
	json_auto_t *rootfs = make_rootfs(store, plan, id);
	if (!rootfs) {
		error_set(err, ERROR_UNSUPPORTED, "the store's path %s is not UTF-8", store->root);
		return NULL;
	}
	json_object_set(plan->document, "rootfs", rootfs);
	json_auto_t *facts = make_facts(plan, rootfs);
	cleanup_fd int own_lock = container_lock(store, facts, err);
	if (own_lock < 0)
		return NULL;
	if (build(store, plan, unique, facts, err) < 0 ||
	    publish(store, plan, id, unique, err) < 0) {
		quota_release(store, facts);
		path_remove_tree(store->tmp_fd, unique, &ignored);
		return NULL;
	}
	*lock = steal_fd(&own_lock);
	return json_incref(facts);
}

/* ---- mounting ---- */

json_t *container_mount(const struct store *store, const json_t *container, const char *target,
			struct error *err)
{
	const json_t *image = json_object_get(container, "image");
	const struct id_maps maps = id_maps_of(container);
	const char *id;

	if (json_require((json_t *)container, "rootfs.json", err, "{s:s}", "id", &id) < 0 ||
	    volatile_prepare(store, container, err) < 0)
		return NULL;
	/* not the stored path: the store may have been moved */
	cleanup_free char *upper = xasprintf("%s/containers/%s/upper", store->root, id);
	cleanup_free char *work = xasprintf("%s/containers/%s/work", store->root, id);
	cleanup_free char *rootfs = xasprintf("%s/containers/%s/rootfs", store->root, id);

	const struct attach attach = {
		.target = target ? target : rootfs,
		.layers = json_object_get(container, "layers"),
		.upper = upper,
		.work = work,
		.lose_writes = json_is_true(json_object_get(container, "throwaway")) ||
			       json_object_get(container, "volatile"),
		.image = json_text(image, "name", json_text(image, "id", "")),
		.image_id = json_text(image, "id", ""),
		.digest = json_text(image, "digest", ""),
		.container = id,
		.maps = &maps,
	};
	return attach_overlay(store, &attach, err);
}

/* ---- removing ---- */

void container_undo(const struct store *store, const json_t *container)
{
	cleanup_staging struct staging trash = { .fd = -1, .lock_fd = -1 };
	const char *id = json_text(container, "id", "");
	struct error ignored;

	/* by way of the trash, so that it is whole or absent; a full disk may have no room for it
	 */
	if (staging_open(store, &trash, &ignored) < 0 ||
	    container_discard(store, container, &trash, &ignored) < 0)
		path_remove_tree(store->containers_fd, id, &ignored);
	container_name_forget(store, container);
	lock_discard(store->locks_fd, "container", id);
}

int container_discard(const struct store *store, const json_t *container,
		      const struct staging *trash, struct error *err)
{
	const char *id = json_text(container, "id", "");
	cleanup_free char *name = xasprintf("container-%s", id);

	if (renameat(store->containers_fd, id, trash->fd, name) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove container %s", id);
	container_name_forget(store, container);
	quota_release(store, container);
	/* what a power cut brings back is lost by it at the same time */
	return json_object_get(container, "volatile")
		       ? 0
		       : file_sync_dir(store->containers_fd, "containers", err);
}

size_t container_collect_lost(const struct store *store, const struct staging *trash)
{
	cleanup_fd int fd = openat(store->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t count = 0;
	struct stat st;

	if (!dir)
		return 0;
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		cleanup_free char *facts = xasprintf("%s/rootfs.json", entry->d_name);
		cleanup_free char *name = xasprintf("lost-%s", entry->d_name);

		if (path_is_id(entry->d_name) &&
		    fstatat(store->containers_fd, facts, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_size == 0 &&
		    (!trash || renameat(store->containers_fd, entry->d_name, trash->fd, name) == 0))
			count++;
	}
	return count;
}
