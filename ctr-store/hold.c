/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/hold.h"

#include "ctr-store/record.h"
#include "lib/cleanup.h"
#include "lib/containers_storage.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".json", list_name[] = "containers.json";

enum {
	LIST_MAX = 64 << 20,	/* bytes */
	LAST_WRITER_LENGTH = 64 /* bytes that say who changed a list last: any that are new */
};

_Static_assert(RANDOM_ID_SIZE - 1 == LAST_WRITER_LENGTH, "a random id is as long");

/* ---- the other store's list ---- */

/* The directory DRIVER-containers of the store. */
static int open_containers(const char *root, const char *driver, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s-containers", root, driver);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "%s", path) : fd;
}

/* Processes that have read the list see by its lock file that they must read it again. */
static int lock_containers(int dir_fd, struct error *err)
{
	char writer[RANDOM_ID_SIZE];
	cleanup_fd int fd =
		openat(dir_fd, "containers.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_os(err, "containers.lock");
	if (lock_file(fd, LOCK_EXCLUSIVE, true, "containers.lock", err) < 0)
		return -1;
	/* before the list is written: nobody reads it until the lock is free, and a kill in between
	 * makes them read once more than they must */
	random_id(writer);
	if (pwrite(fd, writer, LAST_WRITER_LENGTH, 0) != LAST_WRITER_LENGTH)
		return error_os(err, "containers.lock");
	return steal_fd(&fd);
}

/* The list, empty where there is none yet. */
static json_t *read_containers(int dir_fd, struct error *err)
{
	json_t *list = json_read_at(dir_fd, list_name, LIST_MAX, err);

	if (!list && err->os == ENOENT)
		return json_array();
	if (json_is_null(list))
		return json_array();
	if (!list || json_is_array(list))
		return list;
	json_decref(list);
	error_set(err, ERROR_INTEGRITY, "%s is no list", list_name);
	return NULL;
}

static int write_containers(int dir_fd, const json_t *list, struct error *err)
{
	cleanup_free char *text = json_compact(list);

	return file_replace_at(dir_fd, list_name, text, strlen(text), 0600, err);
}

static json_t *describe(const char *id, const char *image_id)
{
	char created[TIMESTAMP_SIZE];
	cleanup_free char *name = xasprintf("ocid-mount-%.12s", id);

	timestamp_now(created);
	return json_pack("{s:s, s:[s], s:s, s:s, s:s, s:s}", "id", id, "names", name, "image",
			 image_id, "layer", "", "metadata", "{\"holder\":\"ctr-store mount\"}",
			 "created", created);
}

static int add_container(const struct storage *storage, const char *id, const char *image_id,
			 struct error *err)
{
	cleanup_fd int dir_fd = open_containers(storage->root, storage->driver, err);
	cleanup_fd int lock = dir_fd < 0 ? -1 : lock_containers(dir_fd, err);
	json_auto_t *list = lock < 0 ? NULL : read_containers(dir_fd, err);

	if (!list)
		return -1;
	json_array_append_new(list, describe(id, image_id));
	return write_containers(dir_fd, list, err);
}

/* Also where the whole store has gone. */
static int remove_container(const char *root, const char *driver, const char *id, struct error *err)
{
	cleanup_fd int dir_fd = open_containers(root, driver, err);
	const json_t *container;
	size_t i;

	if (dir_fd < 0)
		return err->os == ENOENT ? 0 : -1;
	cleanup_fd int lock = lock_containers(dir_fd, err);
	json_auto_t *list = lock < 0 ? NULL : read_containers(dir_fd, err);
	if (!list)
		return -1;
	json_array_foreach (list, i, container) {
		if (strcmp(json_text(container, "id", ""), id) == 0) {
			json_array_remove(list, i);
			return write_containers(dir_fd, list, err);
		}
	}
	return 0;
}

/* ---- what we keep of it ---- */

static char *note_path(const struct store *store, const char *id)
{
	return xasprintf("%s/holds/%s%s", store->root, id, suffix);
}

static int write_note(const struct store *store, const struct storage *storage, const char *id,
		      struct error *err)
{
	cleanup_free char *top = xasprintf("%s/holds", store->root);
	cleanup_free char *path = note_path(store, id);
	json_auto_t *note =
		json_pack("{s:s, s:s}", "root", storage->root, "driver", storage->driver);

	if (!note)
		return error_set(err, ERROR_USAGE, "the name \"%s\" is not UTF-8", storage->root);
	if (path_make_dirs(top, 0700, err) < 0)
		return -1;
	cleanup_free char *text = json_compact(note);
	return file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, err);
}

/* The caller holds the hold's lock. */
static int let_go(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = note_path(store, id);
	json_auto_t *note = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);

	if (!note)
		return err->os == ENOENT ? 0 : -1;
	if (remove_container(json_text(note, "root", ""), json_text(note, "driver", ""), id, err) <
	    0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_os(err, "%s", path);
	return 0;
}

/* ---- holds ---- */

/* A list that somebody else writes would be unreadable to him when we have. */
static int check_writable(const struct storage *storage, struct error *err)
{
	cleanup_fd int dir_fd = open_containers(storage->root, storage->driver, err);
	struct stat st;

	if (dir_fd < 0)
		return -1;
	if (fstat(dir_fd, &st) < 0)
		return error_os(err, "%s", storage->root);
	if (st.st_uid != geteuid()) {
		error_set(err, ERROR_UNSUPPORTED, "the store %s is that of user %u", storage->root,
			  st.st_uid);
		return error_hint(err, "run ctr-store as that user");
	}
	if (storage->transient)
		return error_set(err, ERROR_UNSUPPORTED,
				 "the store %s keeps its containers elsewhere (transient_store)",
				 storage->root);
	return 0;
}

int hold_take(const struct store *store, const struct storage *storage, const char *image_id,
	      char id[static RANDOM_ID_SIZE], int *lock_fd, struct error *err)
{
	if (check_writable(storage, err) < 0)
		return -1;
	random_id(id);
	cleanup_fd int lock = lock_take(store->locks_fd, "hold", id, LOCK_EXCLUSIVE, true, err);
	if (lock < 0 || write_note(store, storage, id, err) < 0)
		return -1;
	if (add_container(storage, id, image_id, err) < 0) {
		struct error ignored;

		let_go(store, id, &ignored);
		return -1;
	}
	*lock_fd = steal_fd(&lock);
	return 0;
}

int hold_release(const struct store *store, const char *id, struct error *err)
{
	if (!path_is_id(id))
		return error_set(err, ERROR_INTEGRITY, "\"%s\" is no id of a hold", id);
	cleanup_fd int lock = lock_take(store->locks_fd, "hold", id, LOCK_EXCLUSIVE, true, err);
	if (lock < 0)
		return -1;
	if (let_go(store, id, err) < 0) {
		error_prefix(err, "the other store still holds the image");
		return error_hint(err, "ctr-store gc tries again");
	}
	lock_discard(store->locks_fd, "hold", id);
	return 0;
}

/* Whether it was one to let go of. */
static bool collect(const struct store *store, const char *id, bool dry_run)
{
	struct error err;
	cleanup_fd int lock = lock_take(store->locks_fd, "hold", id, LOCK_EXCLUSIVE, false, &err);
	json_auto_t *records = lock < 0 ? NULL : record_list_hold(store, id, &err);

	if (!records || json_array_size(records) > 0)
		return false;
	if (!dry_run && let_go(store, id, &err) < 0) {
		log_message(LOG_LEVEL_WARN, "hold %.12s: %s", id, err.message);
		return false;
	}
	lock_discard(store->locks_fd, "hold", id);
	return true;
}

size_t hold_collect(const struct store *store, bool dry_run)
{
	cleanup_free char *top = xasprintf("%s/holds", store->root);
	cleanup_strings struct strings files = { 0 };
	size_t count = 0;

	directory_names(AT_FDCWD, top, &files);
	for (size_t i = 0; i < files.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", top, files.items[i]);
		/* "ID.json", or ".ID.json.new" of a process that was killed */
		const char *name = files.items[i] + (files.items[i][0] == '.');
		cleanup_free char *id = xstrndup(name, strcspn(name, "."));

		if (!path_is_id(id) || !collect(store, id, dry_run))
			continue;
		if (!dry_run)
			unlink(path);
		count++;
	}
	return count;
}
