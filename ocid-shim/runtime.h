/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI runtime (runc, crun, …): an executable that is run, with its errors in one line. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Where the runtime is: a path, or a name looked up in PATH. ERROR_NOT_FOUND. The caller frees the
 * absolute path. */
char *runtime_find(const char *name, struct error *err);

/* A memory file for the runtime's --log. The descriptor is the caller's. */
int runtime_log_open(struct error *err);

/* Its path and global options, as the start of a command line: `options` (an array of strings)
 * come last. log_fd is what runtime_log_open() gave. */
void runtime_command(const struct store *store, const char *path, const json_t *options, int log_fd,
		     struct strings *argv);

/* What went wrong, in one line, from its log (JSON, text, or nothing at all) and the last it said
 * on stderr. The caller frees it. */
char *runtime_error_text(const char *log, const char *said);

/* The same, the log being read from log_fd; then an error "NAME: TEXT" is set. Returns -1. */
int runtime_failed(const char *path, int log_fd, const char *said, int status, struct error *err);

/* Our environment without what a service manager gave our caller: runtimes pass on the descriptors
 * that LISTEN_FDS counts, and wait for the messages that NOTIFY_SOCKET promises, which is left out
 * unless the container is to send them. The caller frees the array, not the strings. */
const char **runtime_environment(bool notifies);

/* Run `PATH GLOBAL-OPTION… WORD…` to its end for a container with those facts (state.json). One
 * that takes longer than 20 seconds is ended: ERROR_TEMPORARY.
 * busy_fd is the container's lock (or -1), which the runtime holds too: should we be killed, nobody
 * else touches the container before the runtime has ended. *output (may be NULL) is what it
 * printed; the caller frees it. */
int runtime_run(const struct store *store, const json_t *facts, int busy_fd,
		const char *const *words, char **output, struct error *err);

/* The same within another time; 0: within any. */
int runtime_run_within(const struct store *store, const json_t *facts, int busy_fd,
		       const char *const *words, int timeout_ms, char **output, struct error *err);

/* Have it delete a container, with what still runs of it. */
int runtime_delete(const struct store *store, const char *id, const json_t *facts, int busy_fd,
		   struct error *err);

/* Whether it still is where it was when it made the container. */
bool runtime_is_there(const json_t *facts);

/* Where it is not: remove what it keeps of that id below RUNROOT, with a warning that says so. */
int runtime_forget(const struct store *store, const char *id, const json_t *facts,
		   struct error *err);
