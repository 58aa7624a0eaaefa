/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container, for the verbs `create` and `run`. */
#pragma once
#include "ocid-shim/container.h"
#include "ocid-shim/request.h"

#include "lib/store.h"

struct cli;

/* Options of both verbs, for their tables. */
/* clang-format off */
#define CREATE_OPTIONS \
	{ "bundle", 'b', "DIR", OPTION_STRING, offsetof(struct create_settings, bundle), \
	  "the bundle, for use without a document" }, \
	{ "runtime", 0, "PATH", OPTION_STRING, offsetof(struct create_settings, runtime), \
	  "the OCI runtime (default runc)" }, \
	{ "stdin", 0, "MODE", OPTION_STRING, offsetof(struct create_settings, stdin_mode), \
	  "open, once or closed (the default): see attach" }, \
	{ "log-path", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, log_path), \
	  "the container's log (default BUNDLE/log)" }, \
	{ "pid-file", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, pid_file), \
	  "write the process id of the container there" }, \
	{ "systemd-cgroup", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, systemd_cgroup), \
	  "the runtime makes cgroups through systemd" }, \
	{ "no-pivot", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, no_pivot), \
	  "the runtime does not pivot_root (root on an initramfs)" }
/* clang-format on */

/* Make the container that the command line and the document ask for, start it if so wanted, save
 * the document and print it. *container is open then. On failure nothing is left of it. */
int create_container(const struct cli *cli, bool start, struct container *container,
		     struct error *err);
