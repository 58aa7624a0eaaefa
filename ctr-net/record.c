/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_KIND "network"

static char *file_name(const struct record *record)
{
	return xasprintf("%s.json", record->id);
}

static char *temporary_name(const struct record *record)
{
	return xasprintf(".%s.json", record->id);
}

static int open_directory(const struct store *store, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/networks", store->root);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_os(err, "cannot make directory %s", path);

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

static json_t *load(const struct record *record, struct error *err)
{
	cleanup_free char *name = file_name(record);
	struct error failure;
	json_auto_t *json = json_read_at(record->dir_fd, name, JSON_DOCUMENT_MAX, &failure);

	if (!json && failure.kind == ERROR_NOT_FOUND)
		return json_pack("{s:s, s:[]}", "id", record->id, "attachments");
	if (!json || !json_is_array(json_object_get(json, "attachments"))) {
		error_set(err, ERROR_INTEGRITY, "%s/networks/%s: %s", record->store->root, name,
			  json ? "not a record of networks" : failure.message);
		error_hint(err, "remove it, and what its networks have left, by hand");
		return NULL;
	}
	return json_incref(json);
}

int record_open(const struct store *store, const char *id, struct record *record, struct error *err)
{
	cleanup_record struct record opened = {
		.store = store, .id = xstrdup(id), .dir_fd = -1, .lock_fd = -1, .open = true
	};

	opened.lock_fd = lock_take(store->locks_fd, LOCK_KIND, id, LOCK_EXCLUSIVE, true, err);
	opened.dir_fd = opened.lock_fd < 0 ? -1 : open_directory(store, err);
	opened.json = opened.dir_fd < 0 ? NULL : load(&opened, err);
	if (!opened.json)
		return -1;

	cleanup_free char *leftover = temporary_name(&opened);
	unlinkat(opened.dir_fd, leftover, 0);
	*record = opened;
	opened = (struct record){ 0 };
	return 0;
}

/* Not file_replace_at(): the lock lets us do with one fixed temporary name, so that what a kill
 * leaves is replaced by the next run rather than piling up. */
static int write_temporary(const struct record *record, const char *name, struct error *err)
{
	cleanup_free char *text = json_compact(record->json);
	cleanup_fd int fd = openat(record->dir_fd, name,
				   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "%s", name);
	if (file_write_fd(fd, text, strlen(text), name, err) < 0)
		return -1;
	return fsync(fd) < 0 ? error_os(err, "%s", name) : 0;
}

static int replace(const struct record *record, const char *temporary, struct error *err)
{
	cleanup_free char *name = file_name(record);

	if (write_temporary(record, temporary, err) < 0)
		return -1;
	if (renameat(record->dir_fd, temporary, record->dir_fd, name) < 0)
		return error_os(err, "%s", name);
	return file_sync_dir(record->dir_fd, name, err);
}

int record_save(struct record *record, struct error *err)
{
	cleanup_free char *name = file_name(record), *temporary = temporary_name(record);

	if (!record_is_empty(record)) {
		if (replace(record, temporary, err) == 0)
			return 0;
		unlinkat(record->dir_fd, temporary, 0);
		return error_prefix(err, "cannot write %s/networks/%s", record->store->root, name);
	}
	if (unlinkat(record->dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_os(err, "%s/networks/%s", record->store->root, name);
	return 0;
}

void record_close(struct record *record)
{
	if (!record->open)
		return;
	if (record->json && record_is_empty(record))
		lock_discard(record->store->locks_fd, LOCK_KIND, record->id);
	cleanup_fd_p(&record->lock_fd);
	cleanup_fd_p(&record->dir_fd);
	json_decref(record->json);
	free(record->id);
	*record = (struct record){ 0 };
}

json_t *record_attachments(const struct record *record)
{
	return json_object_get(record->json, "attachments");
}

json_t *record_find(const struct record *record, const char *ifname)
{
	json_t *attachment;
	size_t i;

	json_array_foreach(record_attachments(record), i, attachment)
	{
		if (strcmp(json_text(attachment, "ifname", ""), ifname) == 0)
			return attachment;
	}
	return NULL;
}

void record_remove(struct record *record, const json_t *attachment)
{
	json_t *attachments = record_attachments(record);

	for (size_t i = 0; i < json_array_size(attachments); i++)
		if (json_array_get(attachments, i) == attachment) {
			json_array_remove(attachments, i);
			return;
		}
}

bool record_owns_netns(const struct record *record)
{
	return json_is_true(json_object_get(record->json, "netns"));
}

void record_set_netns(struct record *record, bool owned)
{
	if (owned)
		json_object_set_new(record->json, "netns", json_true());
	else
		json_object_del(record->json, "netns");
}

bool record_is_empty(const struct record *record)
{
	return json_array_size(record_attachments(record)) == 0 && !record_owns_netns(record);
}
