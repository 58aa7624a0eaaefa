/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/containers.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/process.h"
#include "lib/timestamp.h"
#include "ocid-dispatch/container_message.h"
#include "ocid-dispatch/pods.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_MAX = 128, STARTED_MAX = 64 };

void named_free(struct named *named)
{
	free(named->id);
	free(named->pod);
}

void facts_free(struct facts *facts)
{
	json_decref(facts->shim);
	json_decref(facts->exit);
	free(facts->started);
}

/* ---- finding ---- */

static char *record_path(const char *pod, const char *id)
{
	return xasprintf("%s/containers/%s.json", pod, id);
}

int container_ids(const struct records *records, const char *pod, struct strings *ids,
		  struct error *err)
{
	cleanup_free char *path = xasprintf("%s/containers", pod);
	struct error why = { 0 };

	/* a pod that is half-made, or has been removed meanwhile, has none */
	if (records_ids(records->pods_fd, path, ".json", ids, &why) == 0 || why.os == ENOENT)
		return 0;
	*err = why;
	return -1;
}

/* The pod that has a container of exactly that id, or NULL. Borrowed. */
static const char *find_pod(const struct records *records, const struct strings *pods,
			    const char *id)
{
	for (size_t i = 0; i < pods->count; i++) {
		cleanup_free char *path = record_path(pods->items[i], id);

		/* one that cannot be looked at is not gone */
		if (faccessat(records->pods_fd, path, F_OK, 0) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			return pods->items[i];
	}
	return NULL;
}

int container_find(const struct records *records, const char *text, struct named *named,
		   struct error *err)
{
	cleanup_strings struct strings pods = { 0 }, all = { 0 };

	if (pod_ids(records, &pods, err) < 0)
		return -1;
	const char *id = text, *pod = path_is_id(text) ? find_pod(records, &pods, text) : NULL;
	if (!pod) {
		for (size_t i = 0; i < pods.count; i++)
			if (container_ids(records, pods.items[i], &all, err) < 0)
				return -1;
		id = records_choose(&all, text, "container", err);
		if (!id)
			return -1;
		pod = find_pod(records, &pods, id);
	}
	if (!pod)
		return error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", text);
	*named = (struct named){ xstrdup(id), xstrdup(pod) };
	return 0;
}

/* ---- records ---- */

json_t *container_read(const struct records *records, const struct named *named, struct error *err)
{
	cleanup_free char *path = record_path(named->pod, named->id);
	json_t *record = json_read_at(records->pods_fd, path, JSON_DOCUMENT_MAX, err);

	if (!record && err->kind == ERROR_NOT_FOUND) {
		error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", named->id);
		error_subject(err, named->id);
	}
	return record;
}

json_t *container_asked(const struct records *records, const json_t *request, struct error *err)
{
	cleanup_named struct named named = { 0 };

	if (container_find(records, json_text(request, "containerId", ""), &named, err) < 0)
		return NULL;
	return container_read(records, &named, err);
}

static bool is_startable(const json_t *record)
{
	return strcmp(json_text(record, "stage", ""), "made") == 0 &&
	       !json_object_get(record, "failure");
}

int container_write(const struct records *records, const char *pod, json_t *record,
		    const char *stage, enum record_kind kind, struct error *err)
{
	cleanup_free char *directory = xasprintf("%s/containers", pod);
	cleanup_free char *name = xasprintf("%s.json", json_text(record, "id", ""));
	cleanup_fd int fd =
		path_open_beneath(records->pods_fd, directory, O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return error_prefix(err, "pod %s", pod);
	json_object_set_new(record, "stage", json_string(stage));
	/* what a list takes from it says that it can be started, so it must not outlive that */
	if (!is_startable(record))
		return container_message_drop(fd, record, err) < 0
			       ? -1
			       : records_write(fd, name, record, kind, err);
	return records_write(fd, name, record, kind, err) < 0
		       ? -1
		       : container_message_note(fd, record, err);
}

json_t *container_document(const struct records *records, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/document.json", id);

	return json_read_at(records->store.containers_fd, path, JSON_DOCUMENT_MAX, err);
}

int container_lock(const struct records *records, const char *id, bool wait, struct error *err)
{
	return lock_take(records->store.locks_fd, "cri", id, LOCK_EXCLUSIVE, wait, err);
}

bool container_is_being_made(const struct records *records, const json_t *record)
{
	struct error err;

	if (strcmp(json_text(record, "stage", ""), "making") != 0)
		return false;
	cleanup_fd int lock = container_lock(records, json_text(record, "id", ""), false, &err);
	return lock < 0 && err.kind == ERROR_IN_USE;
}

/* ---- what ocid-shim keeps ---- */

const char *container_state_name(enum container_state state)
{
	static const char *const names[] = { "CONTAINER_CREATED", "CONTAINER_RUNNING",
					     "CONTAINER_EXITED" };

	return names[state];
}

/* A file of the container in RUNROOT/containers. */
struct run_path {
	char text[ID_MAX + 16];
};

static struct run_path run_path(const char *id, const char *name)
{
	struct run_path path;

	snprintf(path.text, sizeof path.text, "%s/%s", id, name);
	return path;
}

static bool has_file(const struct records *records, const char *id, const char *name)
{
	return faccessat(records->store.run_containers_fd, run_path(id, name).text, F_OK, 0) == 0;
}

/* The monitor holds the first byte of shim.pid as long as it lives. */
static bool is_locked(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static json_t *read_run_file(const struct records *records, const char *id, const char *name)
{
	struct error ignored;

	return json_read_at(records->store.run_containers_fd, run_path(id, name).text,
			    JSON_CONFIG_MAX, &ignored);
}

static bool init_lives(const json_t *shim)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(shim, "pid"));
	json_int_t start = json_integer_value(json_object_get(shim, "pidStart"));
	struct error ignored;

	return process_lives(pid, start, &ignored) != 0;
}

/* The state of one whose monitor is gone; false when all there is are the remains of a start. */
static bool was_started(const struct records *records, const char *id, enum container_state *state)
{
	json_auto_t *shim = read_run_file(records, id, "state.json");

	*state = CONTAINER_EXITED;
	if (has_file(records, id, "exit"))
		return true;
	/* where the monitor was killed the process may run on */
	if (init_lives(shim))
		*state = CONTAINER_RUNNING;
	return shim;
}

bool container_was_started(const struct records *records, const char *id,
			   enum container_state *state)
{
	cleanup_fd int fd = openat(records->store.run_containers_fd, run_path(id, "shim.pid").text,
				   O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	*state = CONTAINER_RUNNING;
	if (fd < 0)
		return errno != ENOENT;
	if (!is_locked(fd))
		return was_started(records, id, state);
	/* between the end of the process and that of its monitor */
	*state = has_file(records, id, "exit") ? CONTAINER_EXITED : CONTAINER_RUNNING;
	return has_file(records, id, "started");
}

enum container_state container_state(const struct records *records, const struct named *named)
{
	enum container_state state;
	struct error ignored;

	if (container_was_started(records, named->id, &state))
		return state;
	/* what ends a pod ends what waits in it: stopping it, or a reboot */
	json_auto_t *record = container_read(records, named, &ignored);
	return is_startable(record) && pod_is_up(records, named->pod) ? CONTAINER_CREATED
								      : CONTAINER_EXITED;
}

int container_fail(const struct records *records, const struct named *named, const char *why,
		   struct error *err)
{
	json_auto_t *record = container_read(records, named, err);

	if (!record)
		return -1;
	json_object_set_new(record, "failure",
			    json_pack("{s:s, s:I}", "message", why, "at", clock_wall_ns()));
	return container_write(records, named->pod, record, "made", RECORD_VOLATILE, err);
}

/* ---- what is kept of an end ---- */

static char *end_path(const struct named *named)
{
	return xasprintf("%s/containers/%s.end", named->pod, named->id);
}

static void recall_end(const struct records *records, const struct named *named,
		       struct facts *facts)
{
	cleanup_free char *path = end_path(named);
	struct error ignored; /* a power cut may have emptied it */
	json_auto_t *end = json_read_at(records->pods_fd, path, JSON_CONFIG_MAX, &ignored);
	const char *started = json_text(end, "started", NULL);

	facts->exit = json_incref(json_object_get(end, "exit"));
	if (started && !facts->started)
		facts->started = xstrdup(started);
}

void container_facts(const struct records *records, const struct named *named, struct facts *facts)
{
	const char *id = named->id;
	struct error ignored;
	size_t length;

	*facts = (struct facts){ .state = container_state(records, named) };
	facts->shim = read_run_file(records, id, "state.json");
	facts->started = file_read_at(records->store.run_containers_fd,
				      run_path(id, "started").text, STARTED_MAX, &length, &ignored);
	if (facts->state == CONTAINER_EXITED)
		facts->exit = read_run_file(records, id, "exit");
	if (facts->state == CONTAINER_EXITED && !facts->exit)
		recall_end(records, named, facts);
}

/* Of an end that nobody saw is known that it was not later than now. */
static json_t *unseen_exit(void)
{
	char now[TIMESTAMP_SIZE];

	timestamp_now(now);
	return json_pack("{s:s}", "finished", now);
}

void container_note_end(const struct records *records, const struct named *named)
{
	cleanup_facts struct facts facts = { 0 };
	cleanup_free char *path = end_path(named);
	struct error ignored;

	container_facts(records, named, &facts);
	if (facts.state != CONTAINER_EXITED)
		return;
	if (!facts.exit)
		facts.exit = unseen_exit();
	json_auto_t *end = json_pack("{s:O, s:s*}", "exit", facts.exit, "started", facts.started);
	records_write(records->pods_fd, path, end, RECORD_VOLATILE, &ignored);
}

void container_keep_end(const struct records *records, const struct named *named)
{
	cleanup_free char *kept = end_path(named), *record = record_path(named->pod, named->id);
	struct error ignored;

	if (faccessat(records->pods_fd, kept, F_OK, 0) == 0 ||
	    container_state(records, named) != CONTAINER_EXITED)
		return;
	cleanup_fd int lock = container_lock(records, named->id, false, &ignored);
	if (lock < 0)
		return;
	if (faccessat(records->pods_fd, record, F_OK, 0) == 0)
		container_note_end(records, named);
	else /* removed meanwhile */
		lock_discard(records->store.locks_fd, "cri", named->id);
}

int container_drop_end(const struct records *records, const struct named *named, struct error *err)
{
	cleanup_free char *path = end_path(named);

	return records_remove(records->pods_fd, path, err);
}
