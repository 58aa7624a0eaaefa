/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a container, from its directory RUNROOT/containers/<id>/:
 *
 *   state.json  what does not change: id, bundle, runtime, logPath, created, pid, cgroups, …; a
 *               directory without it is the rest of a `create` that did not come to its end; and
 *               where it is empty, of a power cut that RUNROOT has survived
 *   shim.pid    the monitor's process id; the monitor holds a lock on it as long as it lives, which
 *               is what counts, since numbers are used again
 *   pid         the process id of the container's init, as the runtime wrote it
 *   started     when it was started; .started until the runtime has said that it was
 *   oom         when the kernel first ended a process of it for lack of memory
 *   exit        how it ended, written by the monitor
 *
 * Nothing here waits for the disk, if RUNROOT is on one at all: a power cut ends every container.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct store;

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};

struct container {
	char *id;
	int dir_fd;
	json_t *facts; /* state.json */
};

/* Open the container of that id. ERROR_NOT_FOUND, ERROR_USAGE where it is no id. */
int container_open(const struct store *store, const char *id, struct container *container,
		   struct error *err);
void container_close(struct container *container);
#define cleanup_container __attribute__((cleanup(container_close)))

/* Whether the directory is that of a container. */
bool container_has_facts(int dir_fd);

/* ERROR_USAGE unless it can be a container's id. */
int container_check_id(const char *id, struct error *err);

/* Stopped or not also holds for a container whose monitor was killed. */
enum container_status container_status(const struct container *container);
const char *container_status_name(enum container_status status);

/* False when the monitor was killed: then nobody records the exit. */
bool container_is_watched(const struct container *container);

/* The exit record: {code, finished, signal?, oomKilled?, logRecordsLost?}, or NULL where there is
 * none. The caller owns it. */
json_t *container_exit(const struct container *container);

/* The `process` field of the container document. The caller owns it. */
json_t *container_describe(const struct container *container);

/* Note when it was started. */
int container_note_start(const struct container *container, const char *when, struct error *err);

/* Note the time before it is started; and afterwards that it was then. */
int container_mark_starting(const struct container *container, struct error *err);
int container_mark_started(const struct container *container, struct error *err);

/* The file that says when it was started: `started`; or where it has ended by the time that can be
 * said, `.started`. NULL where it was not. */
const char *container_started_file(const struct container *container);

/* Wait until the container has ended. *exit is its exit record, or NULL when nobody knows it: the
 * monitor was killed, or it was removed before we could read it. The caller owns it. */
int container_wait(const struct container *container, json_t **exit, struct error *err);

/* Whether it was removed since it was opened. */
bool container_was_removed(const struct container *container);

/* Send a signal to its first process, not by the runtime: 1 when that is done, 0 when it has ended.
 */
int container_signal_process(const struct container *container, int number, struct error *err);

/* Wait for the end of its first process only; timeout_ms -1: without limit. 0 when it has ended, 1
 * when it has not within that time. */
int container_await_process(const struct container *container, int timeout_ms, struct error *err);

/* After its end: let those in container_wait() read how that was, then remove the directory. */
int container_remove(const struct store *store, const struct container *container,
		     struct error *err);
