/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container, for the verbs `create` and `run`. */
#pragma once
#include "lib/store.h"
#include "ocid-shim/container.h"
#include "ocid-shim/request.h"

struct cli;

/* Options of both verbs, for their tables. */
/* clang-format off */
#define CREATE_OPTIONS \
	{ "bundle", 'b', "DIR", OPTION_STRING, offsetof(struct create_settings, bundle), \
	  "bundle directory, to use without a document" }, \
	{ "runtime", 0, "PROGRAM", OPTION_STRING, offsetof(struct create_settings, runtime), \
	  "the OCI runtime (default runc)" }, \
	{ "stdin", 0, "open|once|closed", OPTION_CHOICE, \
	  offsetof(struct create_settings, stdin_mode), "container's standard input (default closed), see attach" }, \
	{ "log-path", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, log.path), \
	  "log file (default BUNDLE/log)" }, \
	{ "log-driver", 0, "file|journald|none", OPTION_LIST, \
	  offsetof(struct create_settings, log.drivers), \
	  "where to log output (default file); may be repeated" }, \
	{ "log-size-max", 0, "BYTES", OPTION_NUMBER, offsetof(struct create_settings, log.size_max), \
	  "rotate the log at this size (default -1: never)" }, \
	{ "log-max-files", 0, "N", OPTION_NUMBER, offsetof(struct create_settings, log.files_max), \
	  "number of rotated logs to keep (default 1)" }, \
	{ "log-tag", 0, "TEXT", OPTION_STRING, offsetof(struct create_settings, log.tag), \
	  "tag of journal records (default: the id)" }, \
	{ "log-namespace", 0, "NAME", OPTION_STRING, \
	  offsetof(struct create_settings, log.namespace), "journal namespace (default: the system journal)" }, \
	{ "pid-file", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, pid_file), \
	  "write the container's process id to FILE" }, \
	{ "ready-fd", 0, "FD", OPTION_NUMBER, offsetof(struct create_settings, ready_fd), \
	  "write a newline to FD once created (run: started)" }, \
	{ "sd-notify", 0, "ignore|ready|container", OPTION_CHOICE, \
	  offsetof(struct create_settings, notify_mode), \
	  "who notifies NOTIFY_SOCKET (default ignore: nobody)" }, \
	{ "exit-command", 0, "PATH", OPTION_STRING, offsetof(struct create_settings, exit_command), \
	  "program to run when the container has ended" }, \
	{ "exit-command-arg", 0, "ARG", OPTION_LIST, \
	  offsetof(struct create_settings, exit_arguments), "argument of the exit command (may be repeated)" }, \
	{ "systemd-cgroup", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, systemd_cgroup), \
	  "let the runtime create cgroups through systemd" }, \
	{ "no-pivot", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, no_pivot), \
	  "do not use pivot_root (for a root on an initramfs)" }
#define CREATE_DEFAULTS \
	{ .runtime = "runc", .log = { .size_max = -1, .files_max = 1 }, .ready_fd = -1, \
	  .notify_mode = "ignore" }
/* clang-format on */

/* Make the container that the command line and the document ask for, start it if so wanted, save
 * the document and print it. *container is open then. On failure nothing is left of it. */
int create_container(const struct cli *cli, bool start, struct container *container,
		     struct error *err);
