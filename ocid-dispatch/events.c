/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetContainerEvents. Whatever happens to pods and containers shows in their directories, so these
 * are watched (inotify(7)); what has happened is then told by comparing the pod with what was known
 * of it. Nothing is polled, and no event depends on which process has caused it.
 */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/watch.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pod_status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define STARTED "*"

enum { BUFFER_SIZE = 64 << 10 };

/* The states through which pods and containers go; each step up is an event. */
enum step { STEP_NONE, STEP_CREATED, STEP_STARTED, STEP_STOPPED, STEP_DELETED };

struct watcher {
	const struct rpc_context *context;
	const struct records *records;
	int fd;
	json_t *pods_of; /* the pod of each watch, by its number as text; "" is all of them, "*" all
			    containers that are started */
	json_t *known;	 /* POD: {ID of it or of a container: step} */
	bool silent;	 /* what is there at the beginning is no event */
};

static void watcher_close(struct watcher *watcher)
{
	cleanup_fd_p(&watcher->fd);
	json_decref(watcher->pods_of);
	json_decref(watcher->known);
}
#define cleanup_watcher __attribute__((cleanup(watcher_close)))

/* ---- watching ---- */

/* What is not there need not be watched. */
static int watch(struct watcher *watcher, const char *path, const char *pod, struct error *err)
{
	struct error why;
	int number = watch_add(watcher->fd, path, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR,
			       &why);
	cleanup_free char *key = xasprintf("%d", number);

	if (number >= 0)
		json_object_set_new(watcher->pods_of, key, json_string(pod));
	if (number >= 0 || why.os == ENOENT || why.os == ENOTDIR)
		return 0;
	*err = why;
	return -1;
}

static int watch_pod(struct watcher *watcher, const char *pod, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/pods/%s", watcher->records->store.root, pod);
	cleanup_free char *containers = xasprintf("%s/containers", path);
	cleanup_free char *run = xasprintf("%s/pods/%s", watcher->records->store.runroot, pod);

	return watch(watcher, path, pod, err) < 0 || watch(watcher, containers, pod, err) < 0
		       ? -1
		       : watch(watcher, run, pod, err);
}

static int watch_container(struct watcher *watcher, const char *pod, const char *id,
			   struct error *err)
{
	cleanup_free char *path =
		xasprintf("%s/containers/%s", watcher->records->store.runroot, id);

	return watch(watcher, path, pod, err);
}

/* ---- telling ---- */

static int tell(const struct watcher *watcher, const char *pod, const char *id, enum step step,
		struct error *err)
{
	static const char *const types[] = {
		[STEP_CREATED] = "CONTAINER_CREATED_EVENT",
		[STEP_STARTED] = "CONTAINER_STARTED_EVENT",
		[STEP_STOPPED] = "CONTAINER_STOPPED_EVENT",
		[STEP_DELETED] = "CONTAINER_DELETED_EVENT",
	};
	json_auto_t *document = pod_read(watcher->records, pod, err);

	if (!document && !records_is_lost(err))
		return -1;
	json_t *containers = container_statuses(watcher->records, pod, err);
	if (!containers)
		return -1;
	json_auto_t *event = json_pack("{s:s, s:s, s:I, s:o}", "containerId", id,
				       "containerEventType", types[step], "createdAt",
				       clock_wall_ns(), "containersStatuses", containers);
	if (document)
		json_object_set_new(event, "podSandboxStatus",
				    pod_status(watcher->records, document));
	return rpc_send(watcher->context, event, err);
}

/* From one step to another, each between them is told; what was never started has not been, and
 * what is known no more has also stopped. */
static int tell_steps(const struct watcher *watcher, const char *pod, const char *id,
		      enum step from, enum step to, bool started, struct error *err)
{
	for (enum step step = from + 1; step <= to && !watcher->silent; step++) {
		if (step == STEP_STARTED && to > STEP_STARTED && !started)
			continue;
		if (tell(watcher, pod, id, step, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- comparing ---- */

/* An enum step; -1 when that cannot be told. */
static int pod_step(const struct records *records, const char *pod, struct error *err)
{
	json_auto_t *document = pod_read(records, pod, err);

	if (!document)
		return records_is_lost(err) ? STEP_DELETED : -1;
	if (strcmp(pod_stage(document), "making") == 0)
		return STEP_NONE;
	return strcmp(pod_stage(document), "ready") == 0 ? STEP_STARTED : STEP_STOPPED;
}

/* The same. */
static int container_step(const struct records *records, const struct named *named, bool *started,
			  struct error *err)
{
	json_auto_t *record = container_read(records, named, err);
	cleanup_facts struct facts facts = { 0 };

	if (!record)
		return records_is_lost(err) ? STEP_DELETED : -1;
	if (strcmp(json_text(record, "stage", ""), "made") != 0)
		return STEP_NONE;
	container_facts(records, named, &facts);
	*started = facts.started;
	return facts.state == CONTAINER_CREATED	  ? STEP_CREATED
	       : facts.state == CONTAINER_RUNNING ? STEP_STARTED
						  : STEP_STOPPED;
}

/* Note where something is now, and tell how it came there. */
static int advance(struct watcher *watcher, const char *pod, const char *id, enum step now,
		   bool started, struct error *err)
{
	json_t *steps = json_object_get(watcher->known, pod);
	enum step before = (enum step)json_integer_value(json_object_get(steps, id));

	if (now <= before)
		return 0;
	if (now == STEP_DELETED)
		json_object_del(steps, id);
	else
		json_object_set_new(steps, id, json_integer(now));
	/* half-made ones come and go without a word */
	return before == STEP_NONE && now == STEP_DELETED
		       ? 0
		       : tell_steps(watcher, pod, id, before, now, started, err);
}

/* The ids of the containers that were known and those that are there. */
static int candidates(struct watcher *watcher, const char *pod, struct strings *ids,
		      struct error *err)
{
	json_t *steps = json_object_get(watcher->known, pod), *step;
	const char *id;

	json_object_foreach (steps, id, step) {
		if (strcmp(id, pod) != 0)
			strings_add(ids, id);
	}
	return container_ids(watcher->records, pod, ids, err);
}

/* Watches are set before anything is read, so that nothing falls between. */
static int look(struct watcher *watcher, char *pod, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (!json_object_get(watcher->known, pod))
		json_object_set_new(watcher->known, pod, json_object());
	if (watch_pod(watcher, pod, err) < 0)
		return -1;
	int now = pod_step(watcher->records, pod, err);
	if (now < 0 ||
	    (now <= STEP_STARTED && advance(watcher, pod, pod, (enum step)now, true, err) < 0))
		return -1;
	if (candidates(watcher, pod, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		const struct named named = { ids.items[i], pod };
		bool started = false;

		if (watch_container(watcher, pod, named.id, err) < 0)
			return -1;
		int step = container_step(watcher->records, &named, &started, err);
		if (step < 0 || advance(watcher, pod, named.id, (enum step)step, started, err) < 0)
			return -1;
	}
	/* a pod ends after its containers */
	if (advance(watcher, pod, pod, (enum step)now, true, err) < 0)
		return -1;
	if (now == STEP_DELETED)
		json_object_del(watcher->known, pod);
	return 0;
}

static int look_at_all(struct watcher *watcher, struct error *err)
{
	cleanup_strings struct strings pods = { 0 };
	json_t *steps;
	const char *pod;

	json_object_foreach (watcher->known, pod, steps) {
		strings_add(&pods, pod);
	}
	if (pod_ids(watcher->records, &pods, err) < 0)
		return -1;
	for (size_t i = 0; i < pods.count; i++)
		if (look(watcher, pods.items[i], err) < 0)
			return -1;
	return 0;
}

/* ---- the loop ---- */

/* The pod that an event is about, or NULL. The caller frees it. */
static char *concerned(const struct watcher *watcher, const char *watched,
		       const struct inotify_event *event)
{
	cleanup_named struct named named = { 0 };
	struct error ignored;

	if (!event->len)
		return xstrdup(watched);
	if (strcmp(watched, STARTED) != 0)
		return xstrdup(*watched ? watched : event->name);
	/* others run containers, too */
	return container_find(watcher->records, event->name, &named, &ignored) < 0
		       ? NULL
		       : steal_ptr(&named.pod);
}

static int handle(struct watcher *watcher, const struct inotify_event *event, struct error *err)
{
	cleanup_free char *key = xasprintf("%d", event->wd);
	const char *pod = json_string_value(json_object_get(watcher->pods_of, key));
	cleanup_free char *id = pod ? concerned(watcher, pod, event) : NULL;

	if (event->mask & IN_Q_OVERFLOW)
		return look_at_all(watcher, err);
	if (event->mask & IN_IGNORED) {
		json_object_del(watcher->pods_of, key);
		return 0;
	}
	/* temporary names of files that are being replaced */
	if (!id || !*id || (event->len && event->name[0] == '.'))
		return 0;
	return look(watcher, id, err);
}

static int serve(struct watcher *watcher, struct error *err)
{
	_Alignas(struct inotify_event) char buffer[BUFFER_SIZE];

	while (!cli_interrupted()) {
		ssize_t got = read(watcher->fd, buffer, sizeof buffer);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_os(err, "inotify");
		for (char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			if (handle(watcher, event, err) < 0)
				return -1;
			at += sizeof *event + event->len;
		}
	}
	return cli_fail_interrupted(err);
}

int events_get(const struct rpc_context *context, const json_t *request, json_t **response,
	       struct error *err)
{
	cleanup_records struct records records = { 0 };

	(void)request;
	(void)response;
	if (records_open(context, &records, err) < 0)
		return -1;
	cleanup_watcher struct watcher watcher = { .context = context,
						   .records = &records,
						   .fd = watch_open(IN_CLOEXEC, err),
						   .pods_of = json_object(),
						   .known = json_object(),
						   .silent = true };
	cleanup_free char *pods = xasprintf("%s/pods", records.store.root);
	cleanup_free char *started = xasprintf("%s/containers", records.store.runroot);
	if (watcher.fd < 0 || watch(&watcher, pods, "", err) < 0 ||
	    watch(&watcher, started, STARTED, err) < 0 || look_at_all(&watcher, err) < 0)
		return -1;
	watcher.silent = false;
	return serve(&watcher, err);
}
