/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run another program: no shell, exactly the descriptors that are listed, bounded output, a time
 * limit. Used for sibling tools, the OCI runtime, CNI plugins and credential helpers.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
	const char *const *argv;	/* argv[0] is a path, or a name looked up in PATH */
	const char *const *environment; /* NULL: our own */
	const char *input;		/* given on stdin; NULL: /dev/null */
	size_t input_length;
	int stdin_fd, stdout_fd, stderr_fd; /* when > 0: used as they are instead of the above */
	const int *pass_fds;   /* kept open in the child under these very numbers; ends with -1 */
	size_t output_max;     /* bytes of captured stdout, and of stderr; 0: 1 MiB */
	int timeout_ms;	       /* 0: none. On expiry the child's process group is killed */
	const char *directory; /* working directory, or NULL */
	bool new_session;      /* the program leads a session, not only a process group */
	int death_signal;      /* sent to the program when we die first; 0: none */
	int grace_ms;	       /* what it may still take once we are interrupted */
};

struct spawn_result {
	int status;	 /* exit status, or 128 + signal */
	char *out, *err; /* captured, NUL-terminated; NULL where stdout_fd or stderr_fd was given */
	size_t out_length, err_length;
};

/* Run to the end. 0 whenever the program ran, whatever its status. -1: it could not be started
 * (ERROR_NOT_FOUND when there is no such program), took too long (ERROR_TEMPORARY), printed too
 * much (ERROR_LIMIT), or we were interrupted, twice or for longer than it is given; it has been
 * killed and reaped then. */
int spawn_run(const struct spawn *spawn, struct spawn_result *result, struct error *err);
void spawn_result_free(struct spawn_result *result);
#define cleanup_spawn_result __attribute__((cleanup(spawn_result_free)))

/* Start and return at once; the caller waits. Only argv, environment, the *_fd fields (0:
 * /dev/null for stdin, inherited for the others), pass_fds, directory, new_session and
 * death_signal are used. */
pid_t spawn_start(const struct spawn *spawn, struct error *err);

/* The last line of what a program said on stderr, for an error message; "" when silent.
 * The caller frees it. */
char *spawn_last_line(const char *text);

/* $PATH, or what it is where it is not set. Borrowed. */
const char *spawn_path(void);

/* The program that PATH has for a name, or the name itself where it has a slash and is a program;
 * NULL: there is none. The caller frees it. */
char *spawn_find(const char *name);

/* The program of that name in the first that has it of directories with ":" between them. */
char *spawn_find_in(const char *directories, const char *name);

/* Where an executable of ours is: in $OCID_LIBEXEC, beside the running executable, in libexec/ocid
 * of its prefix, in LIBEXECDIR; else its bare name, for PATH. The caller frees it. */
char *spawn_tool_path(const char *name);
