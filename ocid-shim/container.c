/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/container.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/process.h"
#include "lib/running.h"
#include "lib/store.h"
#include "lib/timestamp.h"
#include "ocid-shim/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_MAX = 4096,
	STARTED_MAX = 64,
	WAITERS_MS = 2000, /* to read how it ended; who takes longer is stopped, and may stay so */
	WAITERS_LOOK_MS = 5
};

int container_check_id(const char *id, struct error *err)
{
	if (path_is_id(id))
		return 0;
	error_set(err, ERROR_USAGE, "\"%s\" is not a container's id", id);
	return error_hint(err, "letters, digits and _.- after a letter or digit, at most 128");
}

bool container_has_facts(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, "state.json", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

int container_open(const struct store *store, const char *id, struct container *container,
		   struct error *err)
{
	if (container_check_id(id, err) < 0)
		return -1;

	cleanup_fd int dir_fd =
		path_open_beneath(store->run_containers_fd, id, O_RDONLY | O_DIRECTORY, err);
	json_t *facts =
		dir_fd < 0 ? NULL : json_read_at(dir_fd, "state.json", JSON_CONFIG_MAX, err);
	if (!facts) {
		if (err->kind != ERROR_NOT_FOUND && (dir_fd < 0 || container_has_facts(dir_fd)))
			return error_prefix(err, "container %s", id);
		error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", id);
		error_subject(err, id);
		return error_hint(err, "see ocid-shim list");
	}
	*container = (struct container){ xstrdup(id), steal_fd(&dir_fd), facts };
	return 0;
}

void container_close(struct container *container)
{
	free(container->id);
	json_decref(container->facts);
	cleanup_fd_p(&container->dir_fd);
	*container = (struct container){ NULL, -1, NULL };
}

bool container_is_watched(const struct container *container)
{
	return running_has_monitor(container->dir_fd);
}

static bool has_file(const struct container *container, const char *name)
{
	return faccessat(container->dir_fd, name, F_OK, 0) == 0;
}

json_t *container_exit(const struct container *container)
{
	struct error ignored;

	if (!has_file(container, "exit"))
		return NULL;
	return json_read_at(container->dir_fd, "exit", EXIT_MAX, &ignored);
}

static pid_t init_of(const struct container *container)
{
	return (pid_t)json_integer_value(json_object_get(container->facts, "pid"));
}

/* As process_lives(). */
static int init_lives(const struct container *container, struct error *err)
{
	json_int_t start = json_integer_value(json_object_get(container->facts, "pidStart"));

	return process_lives(init_of(container), start, err);
}

enum container_status container_status(const struct container *container)
{
	struct error ignored;

	if (has_file(container, "exit"))
		return CONTAINER_STOPPED;
	/* between the end of init and its record the monitor still lives: not stopped yet */
	if (!container_is_watched(container)) {
		if (has_file(container, "exit") || init_lives(container, &ignored) == 0)
			return CONTAINER_STOPPED;
	}
	if (!has_file(container, "started"))
		return CONTAINER_CREATED;
	return cgroups_are_frozen(json_object_get(container->facts, "cgroups")) ? CONTAINER_PAUSED
										: CONTAINER_RUNNING;
}

const char *container_status_name(enum container_status status)
{
	static const char *const names[] = { "created", "running", "paused", "stopped" };

	return names[status];
}

static json_t *started(const struct container *container)
{
	struct error ignored;
	size_t length;
	const char *name = container_started_file(container);
	cleanup_free char *text =
		name ? file_read_at(container->dir_fd, name, STARTED_MAX, &length, &ignored) : NULL;

	return text ? json_stringn(text, strcspn(text, "\n")) : NULL;
}

/* How it ended, as far as is known, into the description. */
static void describe_exit(const struct container *container, json_t *process)
{
	static const char *const keys[][2] = {
		{ "code", "exitCode" },
		{ "signal", "signal" },
		{ "finished", "finished" },
		{ "oomKilled", "oomKilled" },
		{ "logRecordsLost", "logRecordsLost" },
	};
	json_auto_t *exit = container_exit(container);

	for (size_t i = 0; exit && i < sizeof keys / sizeof *keys; i++) {
		json_t *value = json_object_get(exit, keys[i][0]);

		if (value)
			json_object_set(process, keys[i][1], value);
	}
	if (!exit) {
		json_object_set_new(process, "exitCode", json_null());
		json_object_set_new(process, "exitError",
				    json_string("unknown: the container's monitor died before it"));
	}
}

json_t *container_describe(const struct container *container)
{
	static const char *const keys[] = { "id", "bundle", "runtime", "logPath", "created", NULL };
	enum container_status status = container_status(container);
	json_t *process = json_object(), *when = started(container);

	for (size_t i = 0; keys[i]; i++) {
		json_t *value = json_object_get(container->facts, keys[i]);

		if (value)
			json_object_set(process, keys[i], value);
	}
	json_object_set_new(process, "status", json_string(container_status_name(status)));
	if (when)
		json_object_set_new(process, "started", when);
	if (status == CONTAINER_STOPPED) {
		json_object_set_new(process, "pid", json_integer(0));
		describe_exit(container, process);
	} else {
		json_object_set(process, "pid", json_object_get(container->facts, "pid"));
		if (!container_is_watched(container))
			json_object_set_new(process, "monitor", json_string("dead"));
	}
	return process;
}

int container_note_start(const struct container *container, const char *when, struct error *err)
{
	return file_replace_volatile_at(container->dir_fd, "started", when, strlen(when), 0600,
					err);
}

int container_mark_starting(const struct container *container, struct error *err)
{
	char now[TIMESTAMP_SIZE];

	timestamp_now(now);
	return file_replace_volatile_at(container->dir_fd, ".started", now, strlen(now), 0600, err);
}

int container_mark_started(const struct container *container, struct error *err)
{
	if (renameat(container->dir_fd, ".started", container->dir_fd, "started") < 0)
		return error_os(err, "container %s: started", container->id);
	return 0;
}

const char *container_started_file(const struct container *container)
{
	if (has_file(container, "started"))
		return "started";
	if (!has_file(container, "exit"))
		return NULL;
	if (has_file(container, ".started"))
		return ".started";
	/* it may have got its name since it was looked for */
	return has_file(container, "started") ? "started" : NULL;
}

/* 1 with a descriptor of its first process; 0: that has ended; -1: that cannot be told. */
static int open_init(const struct container *container, int *fd, struct error *err)
{
	if (init_of(container) <= 1)
		return 0;
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, init_of(container), 0);

	/* EINVAL: the number is a thread's by now */
	if (pid_fd < 0)
		return errno == ESRCH || errno == EINVAL
			       ? 0
			       : error_os(err, "container %s", container->id);
	/* only after the open: it names whatever process had the number then */
	int lives = init_lives(container, err);
	if (lives > 0)
		*fd = steal_fd(&pid_fd);
	return lives;
}

int container_signal_process(const struct container *container, int number, struct error *err)
{
	cleanup_fd int pid_fd = -1;
	int lives = open_init(container, &pid_fd, err);

	if (lives <= 0)
		return lives;
	return syscall(SYS_pidfd_send_signal, pid_fd, number, NULL, 0) < 0
		       ? error_os(err, "container %s", container->id)
		       : 1;
}

int container_await_process(const struct container *container, int timeout_ms, struct error *err)
{
	cleanup_fd int pid_fd = -1;
	int lives = open_init(container, &pid_fd, err), count;
	struct pollfd ended = { .fd = pid_fd, .events = POLLIN };

	if (lives <= 0)
		return lives;
	while ((count = cli_poll(&ended, 1, timeout_ms)) < 0)
		if (errno != EINTR || cli_interrupted())
			return error_os(err, "container %s", container->id);
	return count == 0;
}

int container_wait(const struct container *container, json_t **exit, struct error *err)
{
	cleanup_fd int fd = running_open(container->dir_fd);

	if (fd < 0 && container_was_removed(container)) {
		*exit = NULL;
		return 0;
	}
	if (fd < 0)
		return error_os(err, "container %s: shim.pid", container->id);
	if (lock_byte(fd, RUNNING_WAITERS, LOCK_SHARED, true, "shim.pid", err) < 0 ||
	    lock_byte(fd, RUNNING_MONITOR, LOCK_SHARED, true, "shim.pid", err) < 0)
		return error_prefix(err, "container %s", container->id);
	/* where the monitor was killed */
	if (!has_file(container, "exit") && container_await_process(container, -1, err) < 0)
		return -1;
	*exit = container_exit(container);
	return 0;
}

bool container_was_removed(const struct container *container)
{
	return !container_has_facts(container->dir_fd);
}

/* Until those who wait for its end have read how that was, or have had the time for it. */
static int await_waiters(int fd, struct error *err)
{
	long long deadline = clock_ms() + WAITERS_MS;

	while (lock_byte(fd, RUNNING_WAITERS, LOCK_EXCLUSIVE, false, "shim.pid", err) < 0) {
		if (err->kind != ERROR_IN_USE)
			return -1;
		if (clock_ms() >= deadline)
			return 0;
		if (cli_poll(NULL, 0, WAITERS_LOOK_MS) < 0 && cli_interrupted())
			return cli_fail_interrupted(err);
	}
	return 0;
}

int container_remove(const struct store *store, const struct container *container,
		     struct error *err)
{
	cleanup_fd int fd = running_open(container->dir_fd);

	if (fd < 0 && errno != ENOENT)
		return error_os(err, "container %s: cannot lock shim.pid", container->id);
	if (fd >= 0 && (lock_byte(fd, RUNNING_MONITOR, LOCK_SHARED, true, "shim.pid", err) < 0 ||
			await_waiters(fd, err) < 0))
		return error_prefix(err, "container %s", container->id);
	/* without it the directory is no container any more, whatever happens to us */
	if (unlinkat(container->dir_fd, "state.json", 0) < 0 && errno != ENOENT)
		return error_os(err, "container %s: state.json", container->id);
	return path_remove_tree(store->run_containers_fd, container->id, err);
}
