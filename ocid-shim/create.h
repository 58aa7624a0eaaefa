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
	  "the bundle, for use without a document" }, \
	{ "runtime", 0, "PROGRAM", OPTION_STRING, offsetof(struct create_settings, runtime), \
	  "the OCI runtime (default runc)" }, \
	{ "stdin", 0, "open|once|closed", OPTION_CHOICE, \
	  offsetof(struct create_settings, stdin_mode), "its input (default closed): see attach" }, \
	{ "log-path", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, log.path), \
	  "the container's log (default BUNDLE/log)" }, \
	{ "log-driver", 0, "file|journald|none", OPTION_LIST, \
	  offsetof(struct create_settings, log.drivers), \
	  "where its output goes (default file); may be repeated" }, \
	{ "log-size-max", 0, "BYTES", OPTION_NUMBER, offsetof(struct create_settings, log.size_max), \
	  "rotate the log before it is larger (default -1: never)" }, \
	{ "log-max-files", 0, "N", OPTION_NUMBER, offsetof(struct create_settings, log.files_max), \
	  "how many rotated logs are kept (default 1)" }, \
	{ "log-tag", 0, "TEXT", OPTION_STRING, offsetof(struct create_settings, log.tag), \
	  "the name of its records in the journal (default: the id)" }, \
	{ "log-namespace", 0, "NAME", OPTION_STRING, \
	  offsetof(struct create_settings, log.namespace), "another journal than the system's" }, \
	{ "pid-file", 0, "FILE", OPTION_STRING, offsetof(struct create_settings, pid_file), \
	  "write the process id of the container there" }, \
	{ "ready-fd", 0, "FD", OPTION_NUMBER, offsetof(struct create_settings, ready_fd), \
	  "write a newline there once it has been made (run: started)" }, \
	{ "sd-notify", 0, "ignore|ready|container", OPTION_CHOICE, \
	  offsetof(struct create_settings, notify_mode), \
	  "who tells NOTIFY_SOCKET when it runs (default ignore: nobody)" }, \
	{ "exit-command", 0, "PATH", OPTION_STRING, offsetof(struct create_settings, exit_command), \
	  "a program that is run when it has ended" }, \
	{ "exit-command-arg", 0, "ARG", OPTION_LIST, \
	  offsetof(struct create_settings, exit_arguments), "an argument for that, and so on" }, \
	{ "systemd-cgroup", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, systemd_cgroup), \
	  "the runtime makes cgroups through systemd" }, \
	{ "no-pivot", 0, NULL, OPTION_FLAG, offsetof(struct create_settings, no_pivot), \
	  "the runtime does not pivot_root (root on an initramfs)" }
#define CREATE_DEFAULTS \
	{ .runtime = "runc", .log = { .size_max = -1, .files_max = 1 }, .ready_fd = -1, \
	  .notify_mode = "ignore" }
/* clang-format on */

/* Make the container that the command line and the document ask for, start it if so wanted, save
 * the document and print it. *container is open then. On failure nothing is left of it. */
int create_container(const struct cli *cli, bool start, struct container *container,
		     struct error *err);
