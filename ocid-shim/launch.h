/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container's monitor, and through it the runtime's `create` or, for a container that is
 * to start at once, `run` (monitor/protocol.h). */
#pragma once
#include "lib/error.h"
#include "lib/timestamp.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct log_target;
struct store;
struct strings;

struct launch {
	const char *id, *bundle;
	const char *runtime;	/* absolute path */
	const json_t *options;	/* its global options: array of strings */
	const char *cgroup_end; /* monitor/cgroup_path.h */
	const char *restore;	/* a checkpoint to make it of, or NULL */
	bool starts;		/* it is started too; what is restored always is */
	bool terminal, no_pivot, shares_pids;
	bool has_input, input_ends_once;
	bool notifies;			    /* the container tells the service manager */
	const struct strings *exit_command; /* what the monitor becomes at the end; may be empty */
	int dir_fd;
	long long oom_kills; /* that its cgroup has counted already */
	int log_fd;	     /* -1: no file */
	const struct log_target *log;
	int busy_fd; /* the container's lock, for the monitor to hold as long as we do */
};

/* A monitor that waits for launch_commit() or launch_undo(). */
struct launched {
	int sync_fd;
	pid_t init;
	char started[TIMESTAMP_SIZE]; /* when it was; "" where it was not */
};

/* Make the container. On failure no process of it is left, and but for its directory nothing at all
 * unless the monitor was killed. */
int launch_start(const struct store *store, const struct launch *launch, struct launched *launched,
		 struct error *err);

/* The container stays. */
int launch_commit(struct launched *launched, struct error *err);

/* Have the monitor delete the container and its directory; returns when that is done. Where the
 * monitor was killed the container's processes are ended, the rest stays. */
void launch_undo(struct launched *launched);
#define cleanup_launched __attribute__((cleanup(launch_undo)))
