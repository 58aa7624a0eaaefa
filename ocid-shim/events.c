/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to containers is seen by their files (container.h): each appears by renaming, when
 * what it tells of has happened. A container whose monitor was killed leaves no exit record; its
 * process is watched too.
 */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"
#include "lib/timestamp.h"
#include "lib/watch.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/directory.h"
#include "ocid-shim/find.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

struct events_settings {
	bool past, wait;
};

/* In the order in which they happen. */
enum event_kind { CREATED, STARTED, OOM, EXITED, REMOVED, KINDS };

static const struct {
	const char *name, *file;
} kinds[KINDS] = {
	{ "created", "state.json" }, { "started", "started" }, { "oom", "oom" },
	{ "exited", "exit" },	     { "removed", NULL },
};

/* A container that is known. */
struct known {
	char *id;
	int watch;  /* of its directory */
	int pid_fd; /* of its first process; -1: none, or it has ended */
	bool told[KINDS];
};

struct watcher {
	const struct cli *cli;
	struct store store;
	struct strings wanted; /* ids; none: all */
	int changes, top;      /* inotify; the watch of the directory of all */
	struct known *known;
	size_t count;
	struct pollfd *polls; /* changes, standard output, and each of `known` */
	bool quiet;	      /* nothing is printed, since it is past */
};

static void watcher_close(struct watcher *watcher)
{
	for (size_t i = 0; i < watcher->count; i++) {
		free(watcher->known[i].id);
		cleanup_fd_p(&watcher->known[i].pid_fd);
	}
	free(watcher->known);
	free(watcher->polls);
	cleanup_fd_p(&watcher->changes);
	strings_free(&watcher->wanted);
	store_close(&watcher->store);
}

static bool is_wanted(const struct watcher *watcher, const char *id)
{
	for (size_t i = 0; i < watcher->wanted.count; i++)
		if (strcmp(watcher->wanted.items[i], id) == 0)
			return true;
	return watcher->wanted.count == 0;
}

/* The file that tells of it; NULL where it is not there. */
static const char *find_file(const struct container *container, enum event_kind kind)
{
	const char *name = kinds[kind].file;

	if (kind == STARTED)
		return container_started_file(container);
	return faccessat(container->dir_fd, name, F_OK, 0) == 0 ? name : NULL;
}

/* The time at which it happened, by the container's files; now where they do not say. */
static void add_time(json_t *event, enum event_kind kind, const struct container *container)
{
	char now[TIMESTAMP_SIZE];
	json_t *time = NULL;

	timestamp_now(now);
	if (container && kind == CREATED)
		time = json_incref(json_object_get(container->facts, "created"));
	if (container && (kind == STARTED || kind == OOM)) {
		struct error ignored;
		size_t length;
		const char *name = find_file(container, kind);
		cleanup_free char *text = name ? file_read_at(container->dir_fd, name,
							      TIMESTAMP_SIZE, &length, &ignored)
					       : NULL;

		time = text ? json_stringn(text, strcspn(text, "\n")) : NULL;
	}
	json_object_set_new(event, "time", time ? time : json_string(now));
}

/* code, signal, oomKilled, …, or that nobody knows them. */
static void add_exit(json_t *event, const struct container *container)
{
	json_auto_t *exit = container ? container_exit(container) : NULL;
	json_t *finished = json_object_get(exit, "finished");

	if (!exit) {
		json_object_set_new(event, "code", json_null());
		json_object_set_new(event, "exitError",
				    json_string("unknown: the container's monitor died before it"));
		return;
	}
	json_object_update_missing(event, exit);
	if (finished)
		json_object_set(event, "time", finished);
	json_object_del(event, "finished");
}

static int tell(const struct watcher *watcher, struct known *known, enum event_kind kind,
		const struct container *container, struct error *err)
{
	if (known->told[kind])
		return 0;
	known->told[kind] = true;
	if (watcher->quiet || !is_wanted(watcher, known->id))
		return 0;

	json_auto_t *event = json_pack("{s:s, s:s}", "event", kinds[kind].name, "id", known->id);
	add_time(event, kind, container);
	if (kind == EXITED)
		add_exit(event, container);
	cleanup_free char *text = json_compact(event);
	if (puts(text) < 0 || fflush(stdout) != 0)
		return error_os(err, "standard output");
	return 0;
}

/* Tell what the container's files tell and has not been told. */
static int tell_files(const struct watcher *watcher, struct known *known,
		      const struct container *container, struct error *err)
{
	bool present[EXITED + 1];

	/* the last first: what comes while they are looked at must not be told before what was
	 * not there yet */
	for (int kind = EXITED; kind >= CREATED; kind--)
		present[kind] = find_file(container, (enum event_kind)kind);
	for (enum event_kind kind = CREATED; kind <= EXITED; kind++)
		if (present[kind] && tell(watcher, known, kind, container, err) < 0)
			return -1;
	return 0;
}

/* The same, and watch the process where there is one. */
static int tell_present(const struct watcher *watcher, struct known *known, struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };
	struct error ignored;

	if (container_open(&watcher->store, known->id, &container, &ignored) < 0)
		return 0;
	if (tell_files(watcher, known, &container, err) < 0)
		return -1;
	if (known->told[CREATED] && !known->told[EXITED] && known->pid_fd < 0) {
		json_t *pid = json_object_get(container.facts, "pid");

		known->pid_fd = (int)syscall(SYS_pidfd_open, (pid_t)json_integer_value(pid), 0);
		/* only now: what has the number is the container's process, or it has ended */
		if (container_status(&container) == CONTAINER_STOPPED &&
		    !find_file(&container, EXITED))
			return tell(watcher, known, EXITED, &container, err);
	}
	return 0;
}

/* Come to know a container, and tell what there is of it. */
static int meet(struct watcher *watcher, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/containers/%s", watcher->store.runroot, id);
	struct error why;
	int watch = watch_add(watcher->changes, path,
			      IN_MOVED_TO | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW, &why);

	if (watch < 0) {
		if (why.os == ENOENT || why.os == ENOTDIR)
			return 0;
		*err = why;
		return -1;
	}
	for (size_t i = 0; i < watcher->count; i++)
		if (watcher->known[i].watch == watch)
			return 0;
	watcher->known = xgrow(watcher->known, watcher->count, sizeof *watcher->known);
	watcher->known[watcher->count] =
		(struct known){ .id = xstrdup(id), .watch = watch, .pid_fd = -1 };
	return tell_present(watcher, &watcher->known[watcher->count++], err);
}

static void forget(struct watcher *watcher, size_t index)
{
	struct known *known = &watcher->known[index];

	free(known->id);
	cleanup_fd_p(&known->pid_fd);
	*known = watcher->known[--watcher->count];
}

/* Its state.json is gone. What came before it that was not seen has happened all the same. */
static int tell_removed(const struct watcher *watcher, struct known *known, struct error *err)
{
	if (!known->told[CREATED])
		return 0;
	if (known->told[STARTED] && !known->told[EXITED] &&
	    tell(watcher, known, EXITED, NULL, err) < 0)
		return -1;
	return tell(watcher, known, REMOVED, NULL, err);
}

static int hear_change(struct watcher *watcher, const struct inotify_event *change,
		       struct error *err)
{
	if (change->mask & IN_Q_OVERFLOW)
		return error_set(err, ERROR_LIMIT, "too many events at once: some were lost");
	if (change->wd == watcher->top)
		return (change->mask & IN_CREATE) && path_is_id(change->name)
			       ? meet(watcher, change->name, err)
			       : 0;
	for (size_t i = 0; i < watcher->count; i++) {
		struct known *known = &watcher->known[i];

		if (known->watch != change->wd)
			continue;
		if (change->mask & IN_IGNORED) {
			int status = tell_removed(watcher, known, err);

			forget(watcher, i);
			return status;
		}
		if ((change->mask & IN_DELETE) && strcmp(change->name, "state.json") == 0)
			return tell_removed(watcher, known, err);
		return change->mask & IN_MOVED_TO ? tell_present(watcher, known, err) : 0;
	}
	return 0;
}

static int hear_changes(struct watcher *watcher, struct error *err)
{
	_Alignas(struct inotify_event) char buffer[16384];
	ssize_t got = read(watcher->changes, buffer, sizeof buffer);

	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *change = (const void *)(buffer + at);

		if (hear_change(watcher, change, err) < 0)
			return -1;
		at += (ssize_t)(sizeof *change + change->len);
	}
	return 0;
}

/* A container's process has ended: its monitor records that, if there is one. */
static int hear_end(const struct watcher *watcher, struct known *known, struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };
	struct error ignored;

	close(steal_fd(&known->pid_fd));
	if (container_open(&watcher->store, known->id, &container, &ignored) < 0)
		return 0;

	bool watched = container_is_watched(&container);
	/* this may be heard of before what came first */
	if (tell_files(watcher, known, &container, err) < 0)
		return -1;
	return watched ? 0 : tell(watcher, known, EXITED, &container, err);
}

static size_t prepare_polls(struct watcher *watcher)
{
	size_t count = 2 + watcher->count;

	watcher->polls = xreallocarray(watcher->polls, count, sizeof *watcher->polls);
	watcher->polls[0] = (struct pollfd){ .fd = watcher->changes, .events = POLLIN };
	/* an error or a hangup is all that can happen: nobody reads */
	watcher->polls[1] = (struct pollfd){ .fd = STDOUT_FILENO };
	for (size_t i = 0; i < watcher->count; i++)
		watcher->polls[2 + i] =
			(struct pollfd){ .fd = watcher->known[i].pid_fd, .events = POLLIN };
	return count;
}

static int watch(struct watcher *watcher, struct error *err)
{
	while (!cli_interrupted()) {
		size_t count = prepare_polls(watcher);

		if (cli_poll(watcher->polls, count, -1) < 0 && errno != EINTR)
			return error_os(err, "poll");
		if (watcher->polls[1].revents)
			return 0;
		for (size_t i = 2; i < count; i++)
			if (watcher->polls[i].revents &&
			    hear_end(watcher, &watcher->known[i - 2], err) < 0)
				return -1;
		if (watcher->polls[0].revents && hear_changes(watcher, err) < 0)
			return -1;
	}
	return cli_fail_interrupted(err);
}

struct beginning {
	struct watcher *watcher;
	struct error *err;
	int status;
};

static void meet_present(const struct container *container, void *context)
{
	struct beginning *beginning = context;

	if (beginning->status == 0)
		beginning->status = meet(beginning->watcher, container->id, beginning->err);
}

/* A mistyped id would be waited for without end. */
static int read_operands(const struct cli *cli, struct watcher *watcher, struct error *err)
{
	const struct events_settings *settings = cli->settings;

	for (int i = 0; i < cli->operand_count; i++) {
		cleanup_free char *id = find_id(&watcher->store, cli->operands[i], err);
		cleanup_container struct container container = { .dir_fd = -1 };

		if (!id ||
		    (!settings->wait && container_open(&watcher->store, id, &container, err) < 0))
			return -1;
		strings_add(&watcher->wanted, id);
	}
	return 0;
}

static int run_events(const struct cli *cli, struct error *err)
{
	const struct events_settings *settings = cli->settings;
	__attribute__((cleanup(watcher_close))) struct watcher watcher = {
		.cli = cli, .changes = -1, .quiet = !settings->past
	};
	struct beginning beginning = { &watcher, err, 0 };

	if (store_open(cli, &watcher.store, err) < 0 || read_operands(cli, &watcher, err) < 0)
		return -1;

	cleanup_free char *path = xasprintf("%s/containers", watcher.store.runroot);
	watcher.changes = watch_open(IN_CLOEXEC | IN_NONBLOCK, err);
	if (watcher.changes < 0)
		return -1;
	watcher.top = watch_add(watcher.changes, path, IN_CREATE | IN_ONLYDIR, err);
	if (watcher.top < 0)
		return -1;
	if (directory_each(&watcher.store, meet_present, &beginning, err) < 0 ||
	    beginning.status < 0)
		return -1;
	watcher.quiet = false;
	return watch(&watcher, err);
}

static const struct cli_option options[] = {
	{ "past", 0, NULL, OPTION_FLAG, offsetof(struct events_settings, past),
	  "print the current state of existing containers first" },
	{ "wait", 0, NULL, OPTION_FLAG, offsetof(struct events_settings, wait),
	  "IDs need not exist yet" },
	{ 0 },
};

const struct cli_command events_command = {
	.name = "events",
	.operands = "[ID...]",
	.operands_max = -1,
	.summary = "print events of containers as they happen",
	.details =
		"Prints one object per event: event (created, started, oom, exited or removed),\n"
		"id, time, and for exited also code, signal, oomKilled. Runs until interrupted.",
	.options = options,
	.settings_size = sizeof(struct events_settings),
	.run = run_events,
};
