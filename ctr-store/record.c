/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/record.h"

#include "ctr-store/mountinfo.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".json", hint_prefix[] = ".on-";

enum { PLACE_MAX = 256, TRIES_MAX = 100 };

/* Newer than the headers of Debian 12: never used again while the system runs (Linux 6.8). */
enum { MOUNT_ID_UNIQUE = 0x4000 };

/* ---- writing ---- */

static char *owner_of(const struct record *record)
{
	if (record->hold)
		return xasprintf("hold:%s", record->hold);
	return record->container ? xstrdup(record->container)
				 : xasprintf("image:%s", digest_hex(record->image_id));
}

/* The mount's id; 0 where the kernel has none that is unique. */
static json_int_t mount_id(int fd, const char *path, int flags)
{
	struct statx st;

	if (statx(fd, path, flags | AT_NO_AUTOMOUNT, MOUNT_ID_UNIQUE, &st) < 0 ||
	    !(st.stx_mask & MOUNT_ID_UNIQUE))
		return 0;
	return (json_int_t)st.stx_mnt_id;
}

/* The last record of an owner takes the directory with it, perhaps at this moment. */
static int open_owner(const struct store *store, const char *owner, struct error *err)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		if (mkdirat(store->mounts_fd, owner, 0700) < 0 && errno != EEXIST)
			break;
		int fd = openat(store->mounts_fd, owner,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			return fd >= 0 ? fd : error_os(err, "%s/mounts/%s", store->runroot, owner);
	}
	return error_os(err, "cannot record the mount");
}

/* Not synced: records need not survive what mounts do not. */
static int write_record(const struct store *store, const char *owner, const char *name,
			const char *text, struct error *err)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		cleanup_fd int fd = open_owner(store, owner, err);

		if (fd < 0)
			return -1;
		if (file_replace_volatile_at(fd, name, text, strlen(text), 0600, err) == 0)
			return 0;
		/* the directory may just have gone */
		if (err->os != ENOENT)
			break;
	}
	return error_prefix(err, "cannot record the mount");
}

static json_t *describe(const struct record *record)
{
	char created[TIMESTAMP_SIZE];

	timestamp_now(created);
	return json_pack(
		"{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:O, s:s*, s:O*, s:b, s:b, s:i, s:I, "
		"s:I, s:I, s:s}",
		"target", record->target, "source", record->source, "image", record->image,
		"imageId", record->image_id, "digest", record->digest, "container",
		record->container, "hold", record->hold, "layers", record->layers, "rootDirectory",
		record->root, "images", json_array_size(record->images) > 0 ? record->images : NULL,
		"rw", record->writable, "madeTarget", record->made_target, "pid", (int)getpid(),
		"mountNamespace", (json_int_t)mount_namespace(0), "pidNamespace",
		(json_int_t)pid_namespace(), "mountId",
		mount_id(record->mount_fd, "", AT_EMPTY_PATH), "created", created);
}

/* mounts/.on-<hash of the directory>, a symbolic link to what was last mounted on it. The caller
 * frees it. */
static char *hint_name(const char *target)
{
	char digest[DIGEST_SIZE];

	digest_of(target, strlen(target), "sha256", digest);
	return xasprintf("%s%.32s", hint_prefix, digest_hex(digest));
}

static void write_hint(const struct store *store, const char *target, const char *place)
{
	cleanup_free char *name = hint_name(target);

	if (symlinkat(place, store->mounts_fd, name) < 0 && errno == EEXIST) {
		unlinkat(store->mounts_fd, name, 0);
		if (symlinkat(place, store->mounts_fd, name) < 0)
			return; /* it is only a hint */
	}
}

/* Where the hint leads; "" where there is none. */
static void read_hint(const struct store *store, const char *name, char place[static PLACE_MAX])
{
	ssize_t length = readlinkat(store->mounts_fd, name, place, PLACE_MAX - 1);

	place[length > 0 ? length : 0] = '\0';
}

static void remove_hint(const struct store *store, const json_t *record)
{
	cleanup_free char *name = hint_name(json_text(record, "target", ""));
	char place[PLACE_MAX];

	read_hint(store, name, place);
	if (strcmp(place, json_text(record, "unique", "")) == 0)
		unlinkat(store->mounts_fd, name, 0);
}

json_t *record_write(const struct store *store, const struct record *record, struct error *err)
{
	json_auto_t *json = describe(record);

	if (!json) {
		error_set(err, ERROR_USAGE, "the name \"%s\" is not UTF-8", record->target);
		return NULL;
	}
	cleanup_free char *owner = owner_of(record);
	cleanup_free char *name = xasprintf("%s%s", record->user, suffix);
	cleanup_free char *place = xasprintf("%s/%s", owner, record->user);
	cleanup_free char *text = json_compact(json);
	if (write_record(store, owner, name, text, err) < 0)
		return NULL;
	write_hint(store, record->target, place);
	json_object_set_new(json, "unique", json_string(place));
	return json_incref(json);
}

void record_remove(const struct store *store, const json_t *record)
{
	const char *place = json_text(record, "unique", "");
	cleanup_free char *name = xasprintf("%s%s", place, suffix);
	cleanup_free char *owner = xstrndup(place, strcspn(place, "/"));

	remove_hint(store, record);
	unlinkat(store->mounts_fd, name, 0);
	unlinkat(store->mounts_fd, owner, AT_REMOVEDIR); /* fails while there are others */
}

/* ---- reading ---- */

const char *record_user(const json_t *record)
{
	const char *place = json_text(record, "unique", ""), *slash = strrchr(place, '/');

	return slash ? slash + 1 : "";
}

bool record_is_on_top(const json_t *record)
{
	json_int_t id = json_integer_value(json_object_get(record, "mountId"));

	return id && mount_id(AT_FDCWD, json_text(record, "target", ""), AT_SYMLINK_NOFOLLOW) == id;
}

/* The mounts in a mount namespace other than ours. */
struct other {
	ino_t name_space;
	bool is_inhabited; /* by processes, one of which has told */
	struct mount_table table;
};

/* The mounts that we see, and those in other namespaces: read when the first record needs them. */
struct view {
	struct mount_table table;
	bool read;
	ino_t name_space;
	struct other *others;
	size_t other_count;
};

static void view_free(struct view *view)
{
	mount_table_free(&view->table);
	for (size_t i = 0; i < view->other_count; i++)
		mount_table_free(&view->others[i].table);
	free(view->others);
}

static const struct other *look_into(struct view *view, ino_t name_space, struct error *err)
{
	struct other other = { .name_space = name_space };

	for (size_t i = 0; i < view->other_count; i++)
		if (view->others[i].name_space == name_space)
			return &view->others[i];
	int found = mount_table_read_in(name_space, &other.table, err);
	if (found < 0)
		return NULL;
	other.is_inhabited = found;
	view->others = xgrow(view->others, view->other_count, sizeof *view->others);
	view->others[view->other_count] = other;
	return &view->others[view->other_count++];
}

/* A namespace that only a bind mount keeps is taken to hold the mount. */
static int is_elsewhere(struct view *view, ino_t name_space, const char *source, struct error *err)
{
	const struct other *other = look_into(view, name_space, err);

	if (!other)
		return -1;
	return other->is_inhabited ? mount_table_has(&other->table, source, NULL)
				   : mount_table_keeps(&view->table, name_space);
}

/* In a PID namespace of our own, other than that of the record, we may not see who lives in its
 * mount namespace. */
static bool sees_inhabitants(const json_t *record)
{
	ino_t theirs = (ino_t)json_integer_value(json_object_get(record, "pidNamespace"));
	ino_t own = pid_namespace();

	return theirs == 0 || own == PID_NAMESPACE_INITIAL || own == theirs;
}

/* 1 when the record's mount is there, 0 when not, -1 when that cannot be told. */
static int counts(const json_t *record, struct view *view, struct error *err)
{
	const char *source = json_text(record, "source", "");
	ino_t theirs = (ino_t)json_integer_value(json_object_get(record, "mountNamespace"));

	if (record_is_on_top(record))
		return 1;
	if (!view->read) {
		if (mount_table_read(0, &view->table, err) < 0)
			return -1;
		view->read = true;
		view->name_space = mount_namespace(0);
	}
	if (mount_table_has(&view->table, source, json_text(record, "target", "")))
		return 1;
	if (theirs == view->name_space)
		return 0;
	return sees_inhabitants(record) ? is_elsewhere(view, theirs, source, err) : 1;
}

static bool is_record_name(const char *name)
{
	size_t length = strlen(name), end = strlen(suffix);

	return name[0] != '.' && length > end && strcmp(name + length - end, suffix) == 0;
}

/* Add the record in the file OWNER/NAME.json to the list; what cannot be parsed becomes a record of
 * nothing, which does not count. */
static int read_record(const struct store *store, const char *file, json_t *list, struct error *err)
{
	json_auto_t *record = json_read_at(store->mounts_fd, file, JSON_CONFIG_MAX, err);

	if (!record && err->os == ENOENT)
		return 0; /* unmounted meanwhile */
	if (!record && err->kind != ERROR_INTEGRITY)
		return -1;

	cleanup_free char *place = xstrndup(file, strlen(file) - strlen(suffix));
	json_t *entry = json_is_object(record) ? json_incref(record) : json_object();
	json_object_set_new(entry, "unique", json_string(place));
	json_array_append_new(list, entry);
	return 0;
}

/* Add all records of an owner to the list. */
static int read_owner(const struct store *store, const char *owner, bool prune, json_t *list,
		      struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(store->mounts_fd, owner, &names) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_os(err, "%s/mounts/%s", store->runroot, owner);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", owner, names.items[i]);

		/* what a killed process left half written */
		if (prune && names.items[i][0] == '.')
			unlinkat(store->mounts_fd, path, 0);
		if (is_record_name(names.items[i]) && read_record(store, path, list, err) < 0)
			return -1;
	}
	if (prune)
		unlinkat(store->mounts_fd, owner, AT_REMOVEDIR);
	return 0;
}

/* A hint whose record is gone leads nowhere. */
static void prune_hint(const struct store *store, const char *name)
{
	char place[PLACE_MAX];

	read_hint(store, name, place);
	cleanup_free char *file = xasprintf("%s%s", place, suffix);
	if (faccessat(store->mounts_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		unlinkat(store->mounts_fd, name, 0);
}

static json_t *read_all(const struct store *store, bool prune, struct error *err)
{
	json_auto_t *list = json_array();
	cleanup_strings struct strings names = { 0 };

	if (directory_names(store->mounts_fd, ".", &names) < 0) {
		error_os(err, "%s/mounts", store->runroot);
		return NULL;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (prune && strncmp(name, hint_prefix, strlen(hint_prefix)) == 0)
			prune_hint(store, name);
		if (name[0] != '.' && read_owner(store, name, prune, list, err) < 0)
			return NULL;
	}
	return json_incref(list);
}

static void remove_ghost(const struct store *store, const json_t *record)
{
	/* the directory was made for the mount; where it is in use after all, it is not empty */
	if (json_is_true(json_object_get(record, "madeTarget")))
		rmdir(json_text(record, "target", ""));
	record_remove(store, record);
}

/* Where the mount of a record is after its directory, or one above it, was renamed: a place of
 * which none of the records that count tells. NULL where there is none; borrowed. */
static const char *find_moved(const struct view *view, const json_t *record, const json_t *list)
{
	const char *source = json_text(record, "source", "");

	for (size_t i = 0; i < view->table.count; i++) {
		const struct mount_entry *entry = &view->table.entries[i];

		if (strcmp(entry->source, source) != 0)
			continue;
		json_auto_t *same = record_select(list, "source", source);
		json_auto_t *there = record_select(same, "target", entry->target);
		if (json_array_size(there) == 0)
			return entry->target;
	}
	return NULL;
}

/* Of those that are not where they were the ones that were moved count, too. */
static void sift_rest(const struct store *store, const json_t *rest, const struct view *view,
		      bool prune, size_t *stale, json_t *list)
{
	json_t *record;
	size_t i;

	json_array_foreach (rest, i, record) {
		const char *target = find_moved(view, record, list);

		if (target) {
			json_object_set_new(record, "target", json_string(target));
			json_array_append(list, record);
			continue;
		}
		if (stale)
			(*stale)++;
		if (prune)
			remove_ghost(store, record);
	}
}

/* Those that count. The mounts are looked at after the records were read, or a mount made in
 * between would look like a ghost. */
static json_t *sift(const struct store *store, const json_t *all, bool prune, size_t *stale,
		    struct error *err)
{
	__attribute__((cleanup(view_free))) struct view view = { 0 };
	json_auto_t *list = json_array();
	json_auto_t *rest = json_array();
	json_t *record;
	size_t i;

	json_array_foreach (all, i, record) {
		int status = counts(record, &view, err);

		if (status < 0)
			return NULL;
		json_array_append(status ? list : rest, record);
	}
	sift_rest(store, rest, &view, prune, stale, list);
	return json_incref(list);
}

json_t *record_list(const struct store *store, bool prune, size_t *stale, struct error *err)
{
	json_auto_t *all = read_all(store, prune, err);

	return all ? sift(store, all, prune, stale, err) : NULL;
}

/* The same before Linux 6.8, where no id tells: one look at all mounts instead of one for each. */
static bool is_seen_on_top(const json_t *record)
{
	const char *target = json_text(record, "target", "");
	cleanup_mount_table struct mount_table table = { 0 };
	struct error ignored;

	if (json_integer_value(json_object_get(record, "mountId")))
		return record_is_on_top(record);
	if (mount_table_read(0, &table, &ignored) < 0)
		return false;
	const char *source = mount_table_on(&table, target);
	return source && strcmp(source, json_text(record, "source", "")) == 0;
}

json_t *record_find_on(const struct store *store, const char *directory)
{
	cleanup_free char *name = hint_name(directory);
	json_auto_t *list = json_array();
	char place[PLACE_MAX];
	struct error ignored;

	read_hint(store, name, place);
	if (!strchr(place, '/'))
		return NULL;
	cleanup_free char *file = xasprintf("%s%s", place, suffix);
	if (read_record(store, file, list, &ignored) < 0)
		return NULL;
	json_t *record = json_array_get(list, 0);
	return record && is_seen_on_top(record) ? json_incref(record) : NULL;
}

json_t *record_list_container(const struct store *store, const char *id, struct error *err)
{
	json_auto_t *all = json_array();

	return read_owner(store, id, false, all, err) < 0 ? NULL
							  : sift(store, all, false, NULL, err);
}

json_t *record_list_image(const struct store *store, const char *image_id, struct error *err)
{
	cleanup_free char *owner = xasprintf("image:%s", digest_hex(image_id));

	return record_list_container(store, owner, err);
}

json_t *record_list_hold(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *owner = xasprintf("hold:%s", id);

	return record_list_container(store, owner, err);
}

json_t *record_select(const json_t *records, const char *key, const char *value)
{
	json_t *selected = json_array(), *record;
	size_t i;

	json_array_foreach (records, i, record) {
		if (strcmp(json_text(record, key, ""), value) == 0)
			json_array_append(selected, record);
	}
	return selected;
}

json_t *record_by_container(const json_t *records)
{
	json_t *containers = json_object(), *record;
	size_t i;

	json_array_foreach (records, i, record) {
		const char *id = json_text(record, "container", NULL);
		json_t *own = id ? json_object_get(containers, id) : NULL;

		if (id && !own)
			json_object_set_new(containers, id, own = json_array());
		if (id)
			json_array_append(own, record);
	}
	return containers;
}
