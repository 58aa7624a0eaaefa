/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that stays with a container: parent of its init (as the subreaper), reader of its
 * output, writer of its log and of its exit record. It lives as long as the container, once for
 * each, so it keeps little: no heap, no stdio, no library, buffers that are untouched until used.
 */
#pragma once
#include "ocid-shim/monitor/log.h"
#include "ocid-shim/monitor/protocol.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct monitor {
	int sync_fd, dir_fd, lock_fd, busy_fd, runtime_log_fd; /* protocol.h */
	int epoll_fd, signal_fd;
	int control_fd;
	int console_listen_fd, console_fd; /* a terminal's socket and master, or -1 */
	bool terminal, no_pivot, shares_pids;
	const char *id, *dir_path, *bundle;
	char **runtime; /* path and global options; ends with NULL */

	pid_t runtime_pid;	       /* the `create` (later the `delete`) that runs now, or 0 */
	int runtime_status;	       /* its wait status */
	char words[MONITOR_TEXT_SIZE]; /* the last that the runtime said on stderr */
	size_t words_length;

	pid_t init; /* the container's first process, or 0 while it is not known */
	int oom_fd; /* oom_watch() */
	bool exited;
	int exit_status; /* its wait status */

	bool committed; /* ocid-shim has said that the container stays */
	bool abandoned; /* ocid-shim is gone, or wants everything undone */

	struct log log;
	struct stream streams[2]; /* stdout (or the terminal), stderr */
};

/* process.c: leave the caller's session, terminal and directory. */
void process_detach(void);

/* Become the subreaper, with all signals blocked; returns a descriptor that tells of SIGCHLD. */
int process_setup(void);

/* Run a program with stdin from /dev/null. out_fd and err_fd: -1 for /dev/null. keep_fd (or -1)
 * stays open in it. Returns its process id, or -1 with errno. */
pid_t process_start(char *const argv[], int out_fd, int err_fd, int keep_fd);

/* Kill whatever child processes there still are and reap them. */
void process_kill_children(void);

/* Give back the pages of the stack below the caller's, which only the start needed. */
void process_trim_stack(void);

/* Milliseconds on a clock that only goes forward. */
long long process_clock(void);

/* container.c: start the runtime's `create`. -1 with errno; *what says what failed. */
int container_create(struct monitor *monitor, const char **what);

/* The process id that the runtime wrote to the file `pid`, if it is a child of ours; else 0. */
pid_t container_init(const struct monitor *monitor);

/* Start the runtime's `delete --force`. -1 with errno. */
int container_delete(struct monitor *monitor);

/* Start the runtime's `kill --all`. -1 with errno. */
int container_kill_all(struct monitor *monitor);

/* Make room for the exit record, so that a file system that is full then cannot lose it. */
int container_prepare_exit(const struct monitor *monitor);

/* Write the file `exit`: durable, and there as a whole or not at all. */
int container_record_exit(const struct monitor *monitor);

/* Remove the container's directory with everything that it can hold. */
void container_forget(const struct monitor *monitor);

/* oom.c: keep the counter of the container's memory cgroup open, as the cgroup may be gone when it
 * is to be read. Returns a descriptor, or -1 where there is no counter. */
int oom_watch(pid_t init);

/* Whether the OOM killer has ended a process of the container. */
bool oom_happened(int fd);

/* control.c: make the socket for messages from anybody who may; deal with one. -1 with errno. */
int control_listen(struct monitor *monitor);
void control_receive(struct monitor *monitor);

/* A socket of that type, bound to a name in the container's directory; -1 with errno. */
int control_bind(const struct monitor *monitor, int type, const char *name);

/* console.c: listen for the terminal that the runtime makes; receive it. -1 with errno. */
int console_listen(struct monitor *monitor);
int console_receive(struct monitor *monitor);

/* events.c: wait for something to happen, at most until then (process_clock; -1: for ever), and
 * deal with it. */
void events_step(struct monitor *monitor, long long deadline);

/* Have the descriptor watched; tags are the enum's. */
enum event { EVENT_STDOUT, EVENT_STDERR, EVENT_CHILD, EVENT_SYNC, EVENT_CONSOLE, EVENT_CONTROL };
int events_watch(const struct monitor *monitor, int fd, enum event event);

/* Collect the exit status of whatever child has ended. */
void events_reap(struct monitor *monitor);

/* Read to the end of what the container said before it ended. */
void events_drain(struct monitor *monitor);
