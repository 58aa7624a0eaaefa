/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/attach.h"

#include "ctr-store/erofs_shared.h"
#include "ctr-store/hold.h"
#include "ctr-store/layer.h"
#include "ctr-store/mountinfo.h"
#include "ctr-store/overlay.h"
#include "ctr-store/record.h"
#include "ctr-store/root_directory.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int open_target(const char *target, struct error *err)
{
	int fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "%s", target) : fd;
}

/* RUNROOT/mnt/<random>, for a mount whose place the user leaves to us. */
static char *make_target(const struct store *store, struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *top = xasprintf("%s/mnt", store->runroot);
	cleanup_free char *path = xasprintf("%s/%s", top, unique);
	if (path_make_dirs(top, 0711, err) < 0)
		return NULL;
	return path_make_dirs(path, 0755, err) < 0 ? NULL : steal_ptr(&path);
}

static int list_layers(const struct store *store, const struct attach *attach,
		       const struct erofs_user *user, struct strings *layers, int *held,
		       struct error *err)
{
	if (layer_parse_ids(attach->layers, layers, err) < 0)
		return -1;
	return attach->upper || attach->hold ? 0
					     : root_directory_add(store, layers, user, held, err);
}

/* Write the record, then put the mount on its target: whoever sees the mount finds the record. */
static json_t *put(const struct store *store, int mount_fd, const struct record *record,
		   struct error *err)
{
	cleanup_fd int target_fd = open_target(record->target, err);
	json_auto_t *written = target_fd < 0 ? NULL : record_write(store, record, err);

	if (!written)
		return NULL;
	if (overlay_attach(mount_fd, target_fd, record->target, err) < 0) {
		record_remove(store, written);
		return NULL;
	}
	return json_incref(written);
}

static json_t *attach_as(const struct store *store, const struct attach *attach,
			 const struct erofs_user *user, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	char source[sizeof MOUNT_SOURCE_PREFIX + RANDOM_NAME_SIZE] = MOUNT_SOURCE_PREFIX;

	random_name(source + strlen(MOUNT_SOURCE_PREFIX));
	cleanup_fd int held = -1;
	if (list_layers(store, attach, user, &layers, &held, err) < 0)
		return NULL;

	const struct overlay overlay = { .layers = &layers,
					 .maps = attach->maps,
					 .upper = attach->upper,
					 .work = attach->work,
					 .lose_writes = attach->lose_writes,
					 .source = source,
					 .user = user,
					 .attributes = attach->attributes };
	cleanup_fd int mount_fd = overlay_open(store, &overlay, err);
	if (mount_fd < 0)
		return NULL;

	cleanup_free char *made = attach->target ? NULL : make_target(store, err);
	if (!attach->target && !made)
		return NULL;
	const struct record record = { .target = made ? made : attach->target,
				       .source = source,
				       .image = attach->image,
				       .image_id = attach->image_id,
				       .digest = attach->digest,
				       .container = attach->container,
				       .hold = attach->hold,
				       .layers = attach->layers,
				       .root = held < 0 ? NULL : layers.items[layers.count - 1],
				       .writable = attach->upper != NULL,
				       .made_target = made != NULL,
				       .mount_fd = mount_fd,
				       .user = user->name,
				       .images = user->keys };
	json_t *written = put(store, mount_fd, &record, err);
	if (!written && made)
		rmdir(made);
	return written;
}

json_t *attach_overlay(const struct store *store, const struct attach *attach, struct error *err)
{
	char name[RANDOM_NAME_SIZE];
	json_auto_t *keys = json_array();
	const struct erofs_user user = { name, keys };

	random_name(name);
	json_t *record = attach_as(store, attach, &user, err);
	if (!record)
		erofs_shared_release(store, name, keys);
	return record;
}

static int not_mounted(const char *target, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, "%s is not mounted any more", target);
}

/* It must be in our mount namespace, with no other mount on top. */
static int check_top(const json_t *record, const char *target, struct error *err)
{
	const char *source = json_text(record, "source", "");
	json_int_t name_space = json_integer_value(json_object_get(record, "mountNamespace"));
	cleanup_mount_table struct mount_table table = { 0 };

	if (record_is_on_top(record))
		return 0;
	if (mount_table_read(0, &table, err) < 0)
		return -1;
	if (!mount_table_has(&table, source, target)) {
		if (name_space == (json_int_t)mount_namespace(0))
			return not_mounted(target, err);
		error_set(err, ERROR_UNSUPPORTED, "%s is mounted in another mount namespace",
			  target);
		return error_hint(err, "run ctr-store there, with nsenter(1)");
	}
	const char *top = mount_table_top(&table, target);
	if (top && strcmp(top, source) == 0)
		return 0;
	error_set(err, ERROR_IN_USE, "%s has another mount on top", target);
	return error_hint(err, "unmount that one first");
}

json_t *attach_again(const struct store *store, const json_t *record, const char *target,
		     struct error *err)
{
	const char *from = json_text(record, "target", "");
	const json_t *images = json_object_get(record, "images");
	char user[RANDOM_NAME_SIZE];

	if (check_top(record, from, err) < 0)
		return NULL;
	cleanup_fd int mount_fd = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount_fd < 0) {
		error_os(err, "%s", from);
		return NULL;
	}

	const struct record again = { .target = target,
				      .source = json_text(record, "source", ""),
				      .image = json_text(record, "image", ""),
				      .image_id = json_text(record, "imageId", ""),
				      .digest = json_text(record, "digest", ""),
				      .container = json_text(record, "container", NULL),
				      .layers = json_object_get(record, "layers"),
				      .root = json_text(record, "rootDirectory", NULL),
				      .writable = json_is_true(json_object_get(record, "rw")),
				      .mount_fd = mount_fd,
				      .user = user,
				      .images = images };
	random_name(user);
	erofs_shared_use(store, user, images);
	json_t *written = put(store, mount_fd, &again, err);
	if (!written)
		erofs_shared_release(store, user, images);
	return written;
}

int attach_undo(const struct store *store, const json_t *record, bool lazy, struct error *err)
{
	const char *target = json_text(record, "target", "");

	if (check_top(record, target, err) < 0)
		return -1;
	if (umount2(target, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) < 0) {
		if (errno == EINVAL || errno == ENOENT)
			return not_mounted(target, err);
		if (errno != EBUSY)
			return error_os(err, "cannot unmount %s", target);
		mount_busy(target, err);
		return error_hint(err, "--lazy unmounts it all the same");
	}
	record_remove(store, record);
	erofs_shared_release(store, record_user(record), json_object_get(record, "images"));
	if (json_is_true(json_object_get(record, "madeTarget")))
		rmdir(target);
	const char *hold = json_text(record, "hold", NULL);
	return hold ? hold_release(store, hold, err) : 0;
}
