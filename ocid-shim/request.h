/* SPDX-License-Identifier: Apache-2.0 */
/* What `create` and `run` are asked for: by a container document, or by --bundle and an id. */
#pragma once
#include "lib/error.h"
#include "ocid-shim/log_target.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;

/* The options of `create` and `run`. */
struct create_settings {
	const char *bundle, *runtime, *pid_file;
	struct log_settings log;
	const char *stdin_mode; /* NULL: as the document says */
	const char *notify_mode;
	const char *exit_command;
	const char *restore; /* `restore` only: the checkpoint */
	struct strings exit_arguments;
	long long ready_fd;
	bool systemd_cgroup, no_pivot;
	bool wait; /* `run` only */
};

struct request {
	json_t *document; /* what `process` is added to */
	char *id, *bundle;
	char *runtime;	 /* absolute path */
	json_t *options; /* the runtime's global options: array of strings */
	struct log_target log;
	bool terminal;
	bool has_input, input_ends_once;
	const char *notify_mode; /* "ignore", "ready" or "container" */
	struct strings exit_command;
	char *restore;		 /* absolute path of a checkpoint, or NULL */
	bool shares_pids;	 /* its PID namespace is not its own */
	const char *oci_version; /* borrowed from config */
	const json_t *annotations;
	char *cgroup_end; /* of the path of its cgroup, see monitor/cgroup_path.h */
	json_t *config;
};

int request_make(const struct cli *cli, struct request *request, struct error *err);
void request_free(struct request *request);
#define cleanup_request __attribute__((cleanup(request_free)))
