/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/record.h"

#include "ctr-store/mountinfo.h"
#include "lib/timestamp.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".json";

/* As file_replace_at(), but without a sync: records need not survive what mounts do not. */
static int write_file(const struct store *store, const char *name, const char *text,
		      struct error *err)
{
	cleanup_free char *temporary = xasprintf(".%s", name);
	cleanup_fd int fd = openat(store->mounts_fd, temporary,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot record the mount");
	int status = file_write_fd(fd, text, strlen(text), "the record of the mount", err);
	if (status == 0 && renameat(store->mounts_fd, temporary, store->mounts_fd, name) < 0)
		status = error_os(err, "cannot record the mount");
	if (status < 0)
		unlinkat(store->mounts_fd, temporary, 0);
	return status;
}

json_t *record_write(const struct store *store, const struct record *record, struct error *err)
{
	char unique[RANDOM_NAME_SIZE], created[TIMESTAMP_SIZE];

	random_name(unique);
	timestamp_now(created);
	json_auto_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:O, s:b, s:b, s:i, s:I, s:s}", "target",
			  record->target, "source", record->source, "image", record->image,
			  "imageId", record->image_id, "digest", record->digest, "container",
			  record->container, "layers", record->layers, "rw", record->writable,
			  "madeTarget", record->made_target, "pid", (int)getpid(), "mountNamespace",
			  (json_int_t)mount_namespace(0), "created", created);
	if (!json) {
		error_set(err, ERROR_USAGE, "the name \"%s\" is not UTF-8", record->target);
		return NULL;
	}
	cleanup_free char *name = xasprintf("%s%s", unique, suffix);
	cleanup_free char *text = json_compact(json);
	if (write_file(store, name, text, err) < 0)
		return NULL;
	json_object_set_new(json, "unique", json_string(unique));
	return json_incref(json);
}

void record_remove(const struct store *store, const json_t *record)
{
	cleanup_free char *name = xasprintf("%s%s", json_text(record, "unique", ""), suffix);

	unlinkat(store->mounts_fd, name, 0);
}

static bool counts(const json_t *record, const struct mount_table *table, ino_t ours)
{
	const char *source = json_text(record, "source", "");
	ino_t theirs = (ino_t)json_integer_value(json_object_get(record, "mountNamespace"));

	if (mount_table_has(table, source, json_text(record, "target", "")))
		return true;
	return theirs != ours && mount_in_namespace(table, theirs, source);
}

static bool is_record_name(const char *name)
{
	size_t length = strlen(name), end = strlen(suffix);

	return name[0] != '.' && length > end && strcmp(name + length - end, suffix) == 0;
}

/* Add the record in the file `name` to the list; what cannot be parsed becomes a record of nothing,
 * which does not count. */
static int read_record(const struct store *store, const char *name, json_t *list, struct error *err)
{
	json_auto_t *record = json_read_at(store->mounts_fd, name, JSON_CONFIG_MAX, err);

	if (!record && err->os == ENOENT)
		return 0; /* unmounted meanwhile */
	if (!record && err->kind != ERROR_INTEGRITY)
		return -1;

	cleanup_free char *unique = xstrndup(name, strlen(name) - strlen(suffix));
	json_t *entry = json_is_object(record) ? json_incref(record) : json_object();
	json_object_set_new(entry, "unique", json_string(unique));
	json_array_append_new(list, entry);
	return 0;
}

static json_t *read_all(const struct store *store, bool prune, struct error *err)
{
	cleanup_fd int fd = openat(store->mounts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	json_auto_t *list = json_array();
	const struct dirent *entry;

	if (!dir) {
		error_os(err, "%s/mounts", store->runroot);
		return NULL;
	}
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		/* what a killed process left half written */
		if (prune && entry->d_name[0] == '.' && entry->d_name[1] && entry->d_name[1] != '.')
			unlinkat(store->mounts_fd, entry->d_name, 0);
		if (is_record_name(entry->d_name) &&
		    read_record(store, entry->d_name, list, err) < 0)
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

json_t *record_list(const struct store *store, bool prune, size_t *stale, struct error *err)
{
	cleanup_mount_table struct mount_table table = { 0 };
	json_auto_t *all = read_all(store, prune, err);
	json_auto_t *list = json_array();
	ino_t ours = mount_namespace(0);
	json_t *record;
	size_t i;

	/* the mounts after the records, or a mount made in between would look like a ghost */
	if (!all || mount_table_read(0, &table, err) < 0)
		return NULL;
	json_array_foreach (all, i, record) {
		if (counts(record, &table, ours)) {
			json_array_append(list, record);
			continue;
		}
		if (stale)
			(*stale)++;
		if (prune)
			remove_ghost(store, record);
	}
	return json_incref(list);
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
