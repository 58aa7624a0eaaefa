/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/control.h"
#include "ocid-shim/find.h"
#include "ocid-shim/log_file.h"
#include "ocid-shim/monitor/protocol.h"

enum { TIMEOUT_DEFAULT = 10, TIMEOUT_MAX = 3600 };

struct reopen_logs_settings {
	long long timeout; /* seconds */
};

/* Have the monitor log to log_fd; returns when it does. */
static int hand_over(const struct container *container, int log_fd, int timeout, struct error *err)
{
	const char byte = MONITOR_REOPEN;
	char answer;
	cleanup_fd int fd = control_request(container, &byte, 1, log_fd, err);
	if (fd < 0)
		return -1;
	control_set_patience(fd, timeout);
	int got = control_answer(container, fd, &answer, 1, NULL, err);
	if (got == 0)
		return error_set(err, ERROR_FAILED, "container %s: its monitor refuses the file",
				 container->id);
	return got < 0 ? -1 : 0;
}

static int run_reopen_logs(const struct cli *cli, struct error *err)
{
	const struct reopen_logs_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };

	if (settings->timeout < 1 || settings->timeout > TIMEOUT_MAX)
		return cli_usage(cli, err, "--timeout: 1 to %d seconds", TIMEOUT_MAX);
	if (store_open(cli, &store, err) < 0)
		return -1;

	/* of two at once the one that comes later must also have opened its file later */
	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = find_container_locked(&store, cli->operands[0], &container, err);
	if (lock < 0)
		return -1;

	const char *path = json_text(container.facts, "logPath", NULL);
	if (!path)
		return error_set(err, ERROR_UNSUPPORTED, "container \"%s\" has no log file",
				 container.id);
	cleanup_fd int log_fd = log_file_open(path, err);
	return log_fd < 0 ? -1 : hand_over(&container, log_fd, (int)settings->timeout, err);
}

static const struct cli_option options[] = {
	{ "timeout", 't', "SECONDS", OPTION_NUMBER, offsetof(struct reopen_logs_settings, timeout),
	  "how long to wait for the monitor (default 10)" },
	{ 0 },
};

static const struct reopen_logs_settings defaults = { .timeout = TIMEOUT_DEFAULT };

const struct cli_command reopen_logs_command = {
	.name = "reopen-logs",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "start a new log after the old one was renamed",
	.details = "When it returns, the new log exists and the old one does not grow any more.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_reopen_logs,
};
