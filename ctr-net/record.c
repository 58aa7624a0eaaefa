/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/record.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_KIND "network"

enum {
	/* a line for each plugin, each with a result of up to 1 MiB, for some networks; what a
	 * larger one would be removed by is written all the same */
	JOURNAL_MAX = 64 << 20,
	ADDITIONS_MAX = 48 << 20,
	COMPACT_MIN = 64 << 10, /* a smaller one is not worth the wait for the disk */
	AWAIT_MS = 5000,
	AWAIT_STEP_MS = 10
};

static char *file_name(const struct record *record)
{
	return xasprintf("%s.json", record->id);
}

static int open_directory(const struct store *store, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/networks", store->root);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_os(err, "cannot make directory %s", path);

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

/* ---- reading ---- */

static void forget(struct record *record, const json_t *attachment)
{
	for (size_t i = 0; i < json_array_size(record->attachments); i++)
		if (json_array_get(record->attachments, i) == attachment) {
			json_array_remove(record->attachments, i);
			return;
		}
}

static void note(json_t *attachment, json_t *result, bool ready)
{
	json_object_set(attachment, "result", result);
	json_object_set_new(attachment, "ready", json_boolean(ready));
}

static void set_bundle(struct record *record, const char *bundle)
{
	free(record->bundle);
	record->bundle = xstrdup(bundle);
}

static void set_netns(struct record *record, bool owned)
{
	record->owns_netns = owned;
	record->ready = false;
}

/* Apply one line; false when it is none of ours. */
static bool replay(struct record *record, const json_t *line)
{
	json_t *attachment = json_object_get(line, "attachment");
	json_t *result = json_object_get(line, "result");
	const json_t *netns = json_object_get(line, "netns");
	const char *removed = json_text(line, "removed", NULL);
	const char *bundle = json_text(line, "bundle", NULL);

	if (json_is_object(attachment)) {
		forget(record, record_find(record, json_text(attachment, "ifname", "")));
		json_array_append(record->attachments, attachment);
	} else if (removed) {
		forget(record, record_find(record, removed));
	} else if (json_is_object(result)) {
		attachment = record_find(record, json_text(line, "ifname", ""));
		note(attachment, result, json_flag(line, "ready"));
	} else if (bundle) {
		set_bundle(record, bundle);
	} else if (json_is_boolean(netns)) {
		set_netns(record, json_is_true(netns));
	} else if (json_flag(line, "ready")) {
		record->ready = true;
	} else {
		return false;
	}
	return true;
}

/* The length of the text up to its last whole line. */
static size_t whole_lines(const char *text, size_t length)
{
	const char *end = memrchr(text, '\n', length);

	return end ? (size_t)(end - text) + 1 : 0;
}

static int replay_all(struct record *record, const char *text, size_t length, struct error *err)
{
	cleanup_free char *what = xasprintf("%s/networks/%s.json", record->store->root, record->id);

	for (const char *at = text; at < text + length;) {
		size_t line_length = (size_t)((const char *)memchr(at, '\n', length) - at);
		json_auto_t *line = json_parse(at, line_length, what, err);

		if (line && !replay(record, line))
			error_set(err, ERROR_INTEGRITY, "%s: not a record of networks", what);
		else if (line) {
			at += line_length + 1;
			continue;
		}
		return error_hint(err, "remove it, and what its networks have left, by hand");
	}
	return 0;
}

/* Without our lock another process may be in the middle of a line. */
static int load(struct record *record, bool locked, struct error *err)
{
	cleanup_free char *name = file_name(record);
	int flags = locked ? O_RDWR | O_APPEND : O_RDONLY;
	size_t length;

	record->fd = openat(record->dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (record->fd < 0)
		return errno == ENOENT ? 0
				       : error_os(err, "%s/networks/%s", record->store->root, name);

	cleanup_free char *text = file_read_fd(record->fd, JOURNAL_MAX, &length, name, err);
	if (!text)
		return -1;

	size_t whole = whole_lines(text, length);
	if (locked && whole < length && ftruncate(record->fd, (off_t)whole) < 0)
		return error_os(err, "%s/networks/%s", record->store->root, name);
	return replay_all(record, text, whole, err);
}

/* The id of a record's file, or NULL for any other; the caller frees it. */
static char *id_of_file(const char *name)
{
	const char *dot = strrchr(name, '.');
	cleanup_free char *id = dot ? xstrndup(name, (size_t)(dot - name)) : NULL;

	return id && strcmp(dot, ".json") == 0 && path_is_id(id) ? steal_ptr(&id) : NULL;
}

/* The id whose lock that file is, or NULL for any other; the caller frees it. */
static char *id_of_lock(const char *name)
{
	static const char prefix[] = LOCK_KIND "-";

	if (strncmp(name, prefix, strlen(prefix)) != 0 || !path_is_id(name + strlen(prefix)))
		return NULL;
	return xstrdup(name + strlen(prefix));
}

static int list_ids(const char *top, const char *name, char *(*id_of)(const char *name),
		    struct strings *ids, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", top, name);
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, path, &names) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *id = id_of(names.items[i]);

		if (id)
			strings_add(ids, id);
	}
	return 0;
}

int record_list_locks(const struct store *store, struct strings *ids, struct error *err)
{
	cleanup_strings struct strings locks = { 0 };

	if (list_ids(store->runroot, "locks", id_of_lock, &locks, err) < 0)
		return -1;
	for (size_t i = 0; i < locks.count; i++) {
		cleanup_free char *path =
			xasprintf("%s/networks/%s.json", store->root, locks.items[i]);

		if (access(path, F_OK) < 0)
			strings_add(ids, locks.items[i]);
	}
	return 0;
}

int record_list(const struct store *store, struct strings *ids, struct error *err)
{
	if (list_ids(store->root, "networks", id_of_file, ids, err) < 0)
		return -1;
	strings_sort(ids); /* without their ends they have another order */
	return 0;
}

json_t *record_peek(const struct store *store, const char *id, struct error *err)
{
	cleanup_record struct record record = {
		.store = store, .id = xstrdup(id), .dir_fd = -1, .lock_fd = -1, .fd = -1
	};

	record.dir_fd = open_directory(store, err);
	record.attachments = json_array();
	if (record.dir_fd < 0 || load(&record, false, err) < 0)
		return NULL;
	return json_incref(record.attachments);
}

/* ---- writing anew ---- */

static bool is_held(const struct record *record)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(record->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The object is consumed. */
static void add_line(struct buffer *text, json_t *line)
{
	cleanup_free char *compact = json_compact(line);

	json_decref(line);
	buffer_add(text, compact);
	buffer_add(text, "\n");
}

/* The lines by which replay() comes to the same. */
static void write_state(const struct record *record, struct buffer *text)
{
	json_t *attachment;
	size_t i;

	if (record->bundle)
		add_line(text, json_pack("{s:s}", "bundle", record->bundle));
	if (record->owns_netns)
		add_line(text, json_pack("{s:b}", "netns", 1));
	json_array_foreach (record->attachments, i, attachment) {
		add_line(text, json_pack("{s:O}", "attachment", attachment));
	}
	if (record->ready)
		add_line(text, json_pack("{s:b}", "ready", 1));
}

/* Networks may come and go for as long as the container lives: what later lines have overtaken
 * goes, once it is most of the journal. Not while a plugin that outlived us holds the file. Where
 * the disk is full the longer one is as good. */
static int compact(struct record *record, struct error *err)
{
	cleanup_buffer struct buffer text = { 0 };
	cleanup_free char *name = file_name(record);
	struct error ignored;
	struct stat st;

	if (record->fd < 0 || fstat(record->fd, &st) < 0 || st.st_size < COMPACT_MIN ||
	    is_held(record))
		return 0;
	write_state(record, &text);
	if (buffer_length(&text) > (size_t)st.st_size / 2 ||
	    file_replace_at(record->dir_fd, name, buffer_data(&text), buffer_length(&text), 0600,
			    &ignored) < 0)
		return 0;
	cleanup_fd_p(&record->fd);
	record->fd = openat(record->dir_fd, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return record->fd < 0 ? error_os(err, "%s/networks/%s", record->store->root, name) : 0;
}

/* ---- opening and closing ---- */

int record_open(const struct store *store, const char *id, struct record *record, struct error *err)
{
	cleanup_record struct record opened = {
		.store = store, .id = xstrdup(id), .dir_fd = -1, .lock_fd = -1, .fd = -1
	};

	opened.lock_fd = lock_take(store->locks_fd, LOCK_KIND, id, LOCK_EXCLUSIVE, true, err);
	opened.dir_fd = opened.lock_fd < 0 ? -1 : open_directory(store, err);
	opened.attachments = json_array();
	if (opened.dir_fd < 0 || load(&opened, true, err) < 0 || compact(&opened, err) < 0)
		return -1;
	opened.open = true;
	*record = opened;
	opened = (struct record){ 0 };
	return 0;
}

static void remove_file(struct record *record)
{
	cleanup_free char *name = file_name(record);

	unlinkat(record->dir_fd, name, 0);
	lock_discard(record->store->locks_fd, LOCK_KIND, record->id);
}

void record_close(struct record *record)
{
	if (!record->id)
		return;
	/* not where it could not be read */
	if (record->open && record_is_empty(record))
		remove_file(record);
	cleanup_fd_p(&record->fd);
	cleanup_fd_p(&record->dir_fd);
	lock_release(&record->lock_fd);
	json_decref(record->attachments);
	free(record->id);
	free(record->bundle);
	*record = (struct record){ 0 };
}

/* ---- appending ---- */

/* Append a line, all of it or nothing. */
static int append_text(int fd, const char *text, const char *name, struct error *err)
{
	off_t before = lseek(fd, 0, SEEK_END);

	if (before < 0)
		return error_os(err, "%s", name);
	if (file_write_fd(fd, text, strlen(text), name, err) == 0)
		return 0;
	/* should this fail too, the next run finds a torn line and drops it */
	int ignored = ftruncate(fd, before);
	(void)ignored;
	return -1;
}

static int sync_file(const struct record *record, const char *name, struct error *err)
{
	if (fsync(record->fd) < 0)
		return error_os(err, "%s", name);
	return file_sync_dir(record->dir_fd, name, err);
}

/* Append an object, which is consumed, as a line. */
static int append(struct record *record, json_t *line, bool sync, struct error *err)
{
	cleanup_free char *name = file_name(record);
	cleanup_free char *compact = json_compact(line), *text = xasprintf("%s\n", compact);

	json_decref(line);
	if (record->fd < 0)
		record->fd = openat(record->dir_fd, name,
				    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (record->fd < 0)
		error_os(err, "%s", name);
	else if (append_text(record->fd, text, name, err) == 0 &&
		 (!sync || sync_file(record, name, err) == 0))
		return 0;
	return error_prefix(err, "cannot write %s/networks", record->store->root);
}

/* A line that there need not be: what could not be read again is not written. */
static int append_more(struct record *record, json_t *line, bool sync, struct error *err)
{
	struct stat st;

	if (record->fd < 0 || fstat(record->fd, &st) < 0 || st.st_size < ADDITIONS_MAX)
		return append(record, line, sync, err);
	json_decref(line);
	error_set(err, ERROR_LIMIT, "%s/networks/%s.json would be larger than %d MiB",
		  record->store->root, record->id, ADDITIONS_MAX >> 20);
	return error_hint(err, "ctr-net del --id %s removes it", record->id);
}

int record_add(struct record *record, json_t *attachment, struct error *err)
{
	if (append_more(record, json_pack("{s:O}", "attachment", attachment), true, err) < 0)
		return -1;
	json_array_append(record->attachments, attachment);
	return 0;
}

int record_note_result(struct record *record, json_t *attachment, json_t *result, bool ready,
		       struct error *err)
{
	/* first here: what a plugin has made is undone by it even where the disk is full */
	note(attachment, result, ready);
	return append_more(record,
			   json_pack("{s:O, s:O, s:b}", "ifname",
				     json_object_get(attachment, "ifname"), "result", result,
				     "ready", ready),
			   false, err);
}

/* Removals never fail, so that a full disk does not keep a container connected: a line that is
 * missing only means that a later `del` does again what is done. */
void record_remove(struct record *record, const json_t *attachment)
{
	json_t *line = json_pack("{s:O}", "removed", json_object_get(attachment, "ifname"));
	struct error ignored;

	forget(record, attachment);
	append(record, line, false, &ignored);
}

int record_set_bundle(struct record *record, const char *bundle, struct error *err)
{
	if (record->bundle && strcmp(record->bundle, bundle) == 0)
		return 0;
	set_bundle(record, bundle);
	return append(record, json_pack("{s:s}", "bundle", bundle), false, err);
}

int record_own_netns(struct record *record, struct error *err)
{
	set_netns(record, true);
	return append(record, json_pack("{s:b}", "netns", 1), false, err);
}

void record_disown_netns(struct record *record)
{
	struct error ignored;

	set_netns(record, false);
	append(record, json_pack("{s:b}", "netns", 0), false, &ignored);
}

int record_set_ready(struct record *record, struct error *err)
{
	record->ready = true;
	return append(record, json_pack("{s:b}", "ready", 1), false, err);
}

int record_hold(const struct record *record, struct error *err)
{
	cleanup_free char *name = file_name(record);
	cleanup_fd int fd = openat(record->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s/networks/%s", record->store->root, name);
	return lock_file(fd, LOCK_SHARED, false, name, err) < 0 ? -1 : steal_fd(&fd);
}

void record_await_holders(const struct record *record)
{
	const struct timespec pause = { .tv_nsec = AWAIT_STEP_MS * 1000000L };

	for (int waited = 0; waited < AWAIT_MS && is_held(record); waited += AWAIT_STEP_MS)
		if (nanosleep(&pause, NULL) < 0 && cli_interrupted())
			return;
}

json_t *record_find(const struct record *record, const char *ifname)
{
	json_t *attachment;
	size_t i;

	json_array_foreach (record->attachments, i, attachment) {
		if (strcmp(json_text(attachment, "ifname", ""), ifname) == 0)
			return attachment;
	}
	return NULL;
}

bool record_is_empty(const struct record *record)
{
	return json_array_size(record->attachments) == 0 && !record->owns_netns;
}
