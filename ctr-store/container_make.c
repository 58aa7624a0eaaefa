/* SPDX-License-Identifier: Apache-2.0 */
/* The half of ctr-store/container.h that makes one. */
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/container_name.h"
#include "ctr-store/erofs_shared.h"
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
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/staging.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Returns the file's descriptor. */
static int write_json(int dir_fd, const char *name, const json_t *json, struct error *err)
{
	cleanup_free char *text = json_compact(json);
	cleanup_fd int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot write %s", name);
	if (file_write_fd(fd, text, strlen(text), name, err) < 0)
		return -1;
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
 * power cut leaves an empty rootfs.json, see container_read(). */
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
	/* both are on their way before either is waited for */
	sync_file_range(facts_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
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
		cleanup_free char *path = layer_path(store, plan->layers->items[i]);
		cleanup_fd int layer_fd = erofs_shared_open(store, path, NULL, err);

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

/* Where the directory is made that becomes the container's. In ROOT/tmp it needs no lock of its
 * own: the gate, which the caller holds, keeps gc away. */
static int site_of(const struct store *store, const struct container_plan *plan)
{
	return plan->staging ? plan->staging->fd : store->tmp_fd;
}

static int build(const struct store *store, const struct container_plan *plan, const char *unique,
		 json_t *facts, struct error *err)
{
	int site_fd = site_of(store, plan);

	if (mkdirat(site_fd, unique, 0700) < 0)
		return error_os(err, "cannot make a directory in %s/tmp", store->root);

	cleanup_fd int fd =
		openat(site_fd, unique, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_os(err, "%s/tmp/%s", store->root, unique);
	if (make_directories(store, plan, fd, err) < 0 || admit_root(plan, fd, err) < 0 ||
	    (plan->lose_writes && volatile_mark(facts, err) < 0) ||
	    (plan->size_max && quota_set(store, fd, plan->size_max, facts, err) < 0) ||
	    (plan->copy && copy_layers(store, plan, fd, err) < 0))
		return -1;
	return write_files(plan, fd, facts, err);
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

/* No container has it for a name or an id. */
static int check_free(const struct store *store, const char *text, struct error *err)
{
	json_auto_t *other = container_find_whole(store, text, err);

	if (!other)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	return error_set(err, ERROR_EXISTS, "container \"%s\" exists already (%s)", text,
			 json_text(other, "id", "?"));
}

/* What people may know a container by, its name and an id that somebody chose: nobody else gets it
 * as long as the lock of that name is held. */
struct claims {
	struct strings texts;
	int locks[2];
};

static void claims_release(struct claims *claims)
{
	for (size_t i = 0; i < sizeof claims->locks / sizeof *claims->locks; i++)
		cleanup_fd_p(&claims->locks[i]);
	strings_free(&claims->texts);
}

/* Sorted, so that no two processes wait for each other. */
static void list_claims(const struct container_plan *plan, struct strings *texts)
{
	if (plan->id)
		strings_add(texts, plan->id);
	if (plan->name && (!plan->id || strcmp(plan->name, plan->id) != 0))
		strings_add(texts, plan->name);
	strings_sort(texts);
}

static int claim(const struct store *store, const struct container_plan *plan,
		 struct claims *claims, struct error *err)
{
	list_claims(plan, &claims->texts);
	for (size_t i = 0; i < claims->texts.count; i++) {
		const char *text = claims->texts.items[i];

		claims->locks[i] =
			lock_take(store->locks_fd, "name", text, LOCK_EXCLUSIVE, true, err);
		if (claims->locks[i] < 0 || check_free(store, text, err) < 0)
			return -1;
	}
	return 0;
}

/* Give the finished directory its name, and the container the one that people know it by. */
static int publish(const struct store *store, const struct container_plan *plan,
		   const json_t *facts, const char *unique, struct error *err)
{
	const char *id = json_text(facts, "id", "");
	__attribute__((cleanup(claims_release))) struct claims claims = { .locks = { -1, -1 } };

	if (claim(store, plan, &claims, err) < 0 ||
	    (plan->name && container_name_set(store, plan->name, id, err) < 0))
		return -1;
	if (renameat2(site_of(store, plan), unique, store->containers_fd, id, RENAME_NOREPLACE) < 0)
		return errno == EEXIST
			       ? error_set(err, ERROR_EXISTS, "container \"%s\" exists already", id)
			       : error_os(err, "cannot make container %s", id);
	for (size_t i = 0; i < claims.texts.count; i++)
		lock_discard(store->locks_fd, "name", claims.texts.items[i]);
	if (plan->lose_writes || file_sync_dir(store->containers_fd, "containers", err) == 0)
		return 0;
	container_undo(store, facts);
	return -1;
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
	cleanup_fd int own_lock =
		lock_take(store->locks_fd, "container", id, LOCK_EXCLUSIVE, true, err);
	if (own_lock < 0 || (plan->id && check_free(store, id, err) < 0))
		return NULL;
	if (build(store, plan, unique, facts, err) < 0 ||
	    publish(store, plan, facts, unique, err) < 0) {
		quota_release(store, facts);
		path_remove_tree(site_of(store, plan), unique, &ignored);
		return NULL;
	}
	*lock = steal_fd(&own_lock);
	return json_incref(facts);
}
