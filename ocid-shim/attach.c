/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/control.h"
#include "ocid-shim/descriptor.h"
#include "ocid-shim/find.h"
#include "ocid-shim/monitor/protocol.h"
#include "ocid-shim/relay.h"
#include "ocid-shim/terminal.h"
#include "ocid-shim/wait.h"

struct attach_settings {
	bool no_stdin;
	long long resize_fd;
};

/* What is left of a container whose socket has ended. */
static int end(const struct container *container, struct error *err)
{
	if (container_is_watched(container) && container_status(container) != CONTAINER_STOPPED)
		return error_set(err, ERROR_TEMPORARY,
				 "container %s: its output was not read for %d seconds",
				 container->id, MONITOR_PATIENCE_MS / 1000);
	return wait_for_code(container, err);
}

/* Be one who is attached, until that ends. */
static int follow(const struct attach_settings *settings, const struct container *container,
		  struct relay *relay, bool has_terminal, struct error *err)
{
	cleanup_terminal struct terminal terminal = { 0 };

	if (has_terminal && relay->input_fd >= 0)
		terminal_make_raw(&terminal);
	if (has_terminal)
		relay->resize_fd = (int)settings->resize_fd;

	int status = relay_run(relay, err);
	terminal_restore(&terminal);
	if (status == RELAY_ENDED)
		return end(container, err);
	if (status == RELAY_INTERRUPTED)
		return cli_fail_interrupted(err);
	return status < 0 ? -1 : 0;
}

static int run_attach(const struct cli *cli, struct error *err)
{
	const struct attach_settings *settings = cli->settings;
	const char request[] = { MONITOR_ATTACH, !settings->no_stdin };
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };
	char answer[2];
	int input_fd = -1;

	if (descriptor_option(cli, "resize-fd", settings->resize_fd, err) < 0 ||
	    store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0)
		return -1;

	cleanup_fd int fd = control_request(&container, request, sizeof request, -1, err);
	int got =
		fd < 0 ? -1 : control_answer(&container, fd, answer, sizeof answer, &input_fd, err);
	if (got < 0)
		return -1;
	if (got != sizeof answer) {
		cleanup_fd_p(&input_fd);
		return error_set(err, ERROR_LIMIT, "container %s: %d are attached already",
				 container.id, MONITOR_ATTACHERS);
	}

	struct relay relay = { .output_fd = fd,
			       .packets = true,
			       .input_fd = input_fd,
			       .resize_fd = -1,
			       .end_fd = -1 };
	int status = follow(settings, &container, &relay, answer[1], err);
	cleanup_fd_p(&relay.input_fd);
	return status;
}

static const struct cli_option options[] = {
	{ "no-stdin", 0, NULL, OPTION_FLAG, offsetof(struct attach_settings, no_stdin),
	  "do not send standard input" },
	{ "resize-fd", 0, "FD", OPTION_NUMBER, offsetof(struct attach_settings, resize_fd),
	  "read terminal sizes from FD: {\"Width\":80,\"Height\":24}" },
	{ 0 },
};

const struct cli_command attach_command = {
	.name = "attach",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "connect to a container's input and output",
	.details =
		"Starts with the next output of the container. Ends with the container, with its\n"
		"exit code, or when nobody reads our output any more.",
	.options = options,
	.settings_size = sizeof(struct attach_settings),
	.defaults = &(const struct attach_settings){ .resize_fd = -1 },
	.run = run_attach,
};
