/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/remove_container.h"

#include "ctr-store/attach.h"
#include "ctr-store/backend.h"
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/mountinfo.h"
#include "ctr-store/record.h"
#include "ctr-store/running.h"
#include "ctr-store/trash.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* The records of the container's mounts, unless it is running. The caller owns them. */
static json_t *check_stopped(const struct store *store, const json_t *container, struct error *err)
{
	const char *id = json_text(container, "id", "");
	json_auto_t *records = record_list_container(store, id, err);

	if (!records)
		return NULL;
	return running_refuse(store, container, records, err) < 0 ? NULL : json_incref(records);
}

static int unmount_all(const struct store *store, const json_t *container, const json_t *records,
		       bool force, struct error *err)
{
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		/* others may have unmounted it meanwhile */
		if (attach_undo(store, record, force, err) == 0 || err->kind == ERROR_NOT_FOUND)
			continue;
		if (err->os == EBUSY)
			error_hint(err, "--force removes it all the same");
		return error_prefix(err, "container %s", container_label(container));
	}
	return 0;
}

/* Nothing tells of a mount once RUNROOT was emptied by hand; it would keep the directory for ever.
 */
static int unmount_unrecorded(const struct store *store, const json_t *container, bool force,
			      struct error *err)
{
	cleanup_free char *rootfs =
		xasprintf("%s/containers/%s/rootfs", store->root, json_text(container, "id", ""));
	cleanup_mount_table struct mount_table table = { 0 };
	struct statx st;

	if (statx(AT_FDCWD, rootfs, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) < 0 ||
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (mount_table_read(0, &table, err) < 0)
		return -1;
	if (!mount_table_top(&table, rootfs))
		return error_set(err, ERROR_IN_USE, "container %s: something is mounted at %s",
				 container_label(container), rootfs);
	if (umount2(rootfs, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0)) == 0 || errno == EINVAL)
		return 0; /* or somebody else was faster */
	if (errno != EBUSY)
		return error_os(err, "cannot unmount %s", rootfs);
	mount_busy(rootfs, err);
	error_prefix(err, "container %s", container_label(container));
	return error_hint(err, "--force removes it all the same");
}

/* A copy is a plain directory, in which others may have mounted something. */
static int unmount_inside(const struct store *store, const json_t *container, bool force,
			  struct error *err)
{
	cleanup_free char *bundle =
		xasprintf("%s/containers/%s", store->root, json_text(container, "id", ""));

	while (backend_is_copy(container)) {
		cleanup_free char *target = NULL;
		int found = mount_find_below(bundle, &target, err);

		if (found <= 0)
			return found;
		if (!force) {
			error_set(err, ERROR_IN_USE, "container %s: something is mounted at %s",
				  container_label(container), target);
			return error_hint(err, "--force unmounts it");
		}
		if (umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
			return error_os(err, "cannot unmount %s", target);
	}
	return 0;
}

int remove_container(const struct store *store, const char *id, bool force, struct error *err)
{
	cleanup_trash struct trash trash = { .store = store };
	cleanup_fd int lock = -1;
	json_auto_t *container = force ? container_lock_any(store, id, &lock, err)
				       : container_lock(store, id, &lock, err);

	if (!container)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	json_auto_t *records = check_stopped(store, container, err);
	if (!records || unmount_all(store, container, records, force, err) < 0 ||
	    unmount_inside(store, container, force, err) < 0 ||
	    unmount_unrecorded(store, container, force, err) < 0 ||
	    container_discard(store, container, &trash, err) < 0)
		return -1;
	lock_discard(store->locks_fd, "container", id);
	return 0;
}
