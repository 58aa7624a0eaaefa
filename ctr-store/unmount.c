/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unmount.h"

#include "ctr-store/attach.h"
#include "ctr-store/container.h"
#include "ctr-store/record.h"
#include "ctr-store/running.h"
#include "ctr-store/trash.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/store.h"

/* Remove a container that was there only for its mount. */
static int discard_throwaway(const struct store *store, const json_t *container, struct error *err)
{
	cleanup_trash struct trash trash = { .store = store };

	if (container_discard(store, container, &trash, err) < 0)
		return -1;
	lock_discard(store->locks_fd, "container", json_text(container, "id", ""));
	return 0;
}

/* The last mount of a container is what it runs from, and what a throw-away one lives by. */
static int undo_container(const struct store *store, const json_t *container, const json_t *record,
			  bool lazy, struct error *err)
{
	json_auto_t *records = record_list_container(store, json_text(container, "id", ""), err);

	if (!records)
		return -1;
	bool last = json_array_size(records) <= 1;
	if ((last && running_refuse(store, container, records, err) < 0) ||
	    attach_undo(store, record, lazy, err) < 0)
		return -1;
	if (last && json_is_true(json_object_get(container, "throwaway")))
		return discard_throwaway(store, container, err);
	return 0;
}

int unmount(const struct store *store, const json_t *record, bool lazy, struct error *err)
{
	const char *id = json_text(record, "container", NULL);
	cleanup_fd int lock = -1;
	json_auto_t *container = id ? container_lock(store, id, &lock, err) : NULL;

	if (container)
		return undo_container(store, container, record, lazy, err);
	if (id && err->os && err->kind != ERROR_NOT_FOUND)
		return -1;
	/* of an image, or of a container whose directory somebody has removed */
	return attach_undo(store, record, lazy, err);
}

/* Of several mounts on one directory the topmost goes first, so what is beneath another waits for
 * the next round. */
int unmount_all(const struct store *store, json_t *records, bool lazy, struct error *err)
{
	size_t before;
	struct error why;

	do {
		before = json_array_size(records);
		for (size_t i = before; i-- > 0;) {
			int status = unmount(store, json_array_get(records, i), lazy, &why);

			if (status == 0 || why.kind == ERROR_NOT_FOUND)
				json_array_remove(records, i);
			else
				*err = why;
		}
	} while (json_array_size(records) > 0 && json_array_size(records) < before);
	return json_array_size(records) > 0 ? -1 : 0;
}
