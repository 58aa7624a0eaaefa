/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that stays with a container: parent of its init (as the subreaper), reader of its
 * output, writer of its log and of its exit record. It lives as long as the container, once for
 * each, so it keeps little: no heap, no stdio, no library, buffers that are untouched until used.
 */
#pragma once
#include "ocid-shim/monitor/log.h"
#include "ocid-shim/monitor/protocol.h"
#include "ocid-shim/monitor/text.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* A process that follows the container's output as it comes. */
struct attacher {
	int fd;		  /* its socket; -1: nobody */
	bool sends_input; /* it has a descriptor of the container's input */
	bool behind;	  /* the container waits for it: its socket is full */
	int queued;	  /* bytes in the socket, when last looked */
};

struct monitor {
	int sync_fd, dir_fd, lock_fd, busy_fd, runtime_log_fd; /* protocol.h */
	int epoll_fd, signal_fd;
	int control_fd;
	int console_listen_fd, console_fd; /* a terminal's socket and master, or -1 */
	bool terminal, no_pivot, shares_pids;
	bool starts;		  /* the runtime's one command makes it and starts it */
	char started[STAMP_SIZE]; /* when it had, before anything it said; "": not yet */
	bool has_input;		  /* until it has ended */
	bool input_ends_once;	  /* when the first attacher that sends it stops */
	int input_fd;		  /* to write it to; a terminal's is console_fd */
	const char *id, *dir_path, *bundle;
	const char *cgroup_end; /* cgroup_path.h */
	const char *restore;	/* the checkpoint that it is made of; "": none */
	char **runtime;		/* path and global options; ends with NULL */
	char **exit_command;
	int exit_words;	     /* of exit_command */
	char oom_before[16]; /* our oom_score_adj before it was lowered, or "" */

	pid_t runtime_pid;  /* the `create` (later the `delete`) that runs now, or 0 */
	int runtime_status; /* its wait status */

	pid_t init;		    /* the container's first process, or 0 while it is not known */
	int oom_fd, oom_event_fd;   /* oom_watch(), or -1 */
	int oom_slice_fd;	    /* the count of the slice it is in, or -1 */
	long long oom_slice_kills;  /* what that was when ours was read last */
	long long oom_check;	    /* when to look at the count again (process_clock); 0: not */
	long long oom_kills_before; /* that the cgroup had counted before the container */
	bool oom_killed;
	bool exited;
	int exit_status; /* its wait status */

	bool committed; /* ocid-shim has said that the container stays */
	bool abandoned; /* ocid-shim is gone, or wants everything undone */

	struct log log;
	struct stream streams[2]; /* stdout (or the terminal), stderr */

	struct attacher attachers[MONITOR_ATTACHERS];
	int attached;		 /* how many there are */
	long long patience_ends; /* with those that are behind (process_clock); 0: none is */
};

/* process.c: leave the caller's streams and directory. */
void process_detach(void);

/* And its session. Not before the runtime has done its work: a new session is also a group of its
 * own to the scheduler (sched(7), autogroup), which gets little of a busy machine at first. */
void process_leave_session(void);

/* Become the subreaper, with all signals blocked; returns a descriptor that tells of SIGCHLD. */
int process_setup(void);

/* A program's standard descriptors; -1: /dev/null. */
struct standard {
	int in, out, err;
};

/* Run a program. keep_fd (or -1) stays open in it. Returns its process id, or -1 with errno. */
pid_t process_start(char *const argv[], const struct standard *standard, int keep_fd);

/* Become a program, with stdin, stdout and stderr as they are. Returns where that cannot be. */
void process_become(char *const argv[]);

/* Kill whatever child processes there still are and reap them. */
void process_kill_children(void);

/* Give back the pages of the stack below the caller's, which only the start needed. */
void process_trim_stack(void);

/* Milliseconds on a clock that only goes forward. */
long long process_clock(void);

/* confine.c: give up, for good and as far as the kernel has it, what a monitor that runs no program
 * any more does not need: Landlock leaves it the files of its directory and a log that it rotates,
 * seccomp the calls that move bytes. What is open stays so. */
void confine(const struct monitor *monitor);

/* container.c: start the runtime's `create`, `run` or `restore`. -1 with errno; *what says what
 * failed.
 */
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

/* Become the exit command, which knows the container by its environment: OCID_CONTAINER and
 * OCID_EXIT_CODE. Returns where that cannot be. */
void container_run_exit_command(const struct monitor *monitor);

/* Write the file `oom`. */
void container_record_oom(const struct monitor *monitor);

/* Remove the container's directory with everything that it can hold. */
void container_forget(const struct monitor *monitor);

/* oom.c: keep the counter of the container's memory cgroup open, as the cgroup may be gone when it
 * is to be read, and have its changes watched. */
void oom_watch(struct monitor *monitor);

/* The kernel tells that memory is short. */
void oom_hear(struct monitor *monitor);

/* Note it when the OOM killer has ended a process of the container. */
void oom_check(struct monitor *monitor);

/* control.c: make the socket for messages from anybody who may; deal with one. -1 with errno. */
int control_listen(struct monitor *monitor);
void control_receive(struct monitor *monitor);

/* A socket of that type, bound to a name in the container's directory; -1 with errno. */
int control_bind(const struct monitor *monitor, int type, const char *name);

/* console.c: listen for the terminal that the runtime makes; receive it. -1 with errno. */
int console_listen(struct monitor *monitor);
int console_receive(struct monitor *monitor);

/* Give the terminal a size; -1 with errno, ENOTTY where there is none. */
int console_resize(const struct monitor *monitor, const struct monitor_size *size);

/* Have what reads lines from the terminal see the end of its input. */
void console_end_input(const struct monitor *monitor);

/* attach.c: take on an attacher, whose socket is the monitor's then; false where that cannot be. */
bool attach_add(struct monitor *monitor, int fd, bool wants_input);

/* Whether all attachers can take a packet. Where not, the container's output waits, until
 * attach_hear() or attach_lose_patience() lets it go on. */
bool attach_ready(struct monitor *monitor);

/* Send what the container wrote to all. */
void attach_send(struct monitor *monitor, int stream, const char *data, size_t length);

/* Something happened on an attacher's socket. */
void attach_hear(struct monitor *monitor, size_t index, bool can_send);

/* At the time patience_ends: drop those that have taken nothing. */
void attach_lose_patience(struct monitor *monitor);

/* events.c: wait for something to happen, at most until then (process_clock; -1: for ever), and
 * deal with it. */
void events_step(struct monitor *monitor, long long deadline);

/* Have the descriptor watched; tags are the enum's. */
enum event {
	EVENT_STDOUT,
	EVENT_STDERR,
	EVENT_CHILD,
	EVENT_SYNC,
	EVENT_CONSOLE,
	EVENT_CONTROL,
	EVENT_OOM,
	EVENT_ATTACHER /* and its index */
};
int events_watch(const struct monitor *monitor, int fd, enum event event);
void events_stop_watching(const struct monitor *monitor, int fd);

/* Collect the exit status of whatever child has ended. */
void events_reap(struct monitor *monitor);

/* Read to the end of what the container said before it ended. */
void events_drain(struct monitor *monitor);

/* Deal with what came while the runtime was at work: that of a container that runs already is
 * recorded, anything else was said by the runtime. */
void events_release(struct monitor *monitor);
