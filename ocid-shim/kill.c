/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/kill.h"

#include "lib/cleanup.h"
#include "lib/signals.h"
#include "lib/store.h"
#include "ocid-shim/cgroups.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/runtime.h"

#include <signal.h>
#include <stdio.h>

struct kill_settings {
	bool all;
};

int kill_container(const struct store *store, const struct container *container, int lock,
		   int number, int timeout_ms, struct error *err)
{
	int limit_ms = timeout_ms < RUNTIME_KILL_MS ? timeout_ms : RUNTIME_KILL_MS;
	char digits[16];
	struct error ignored;

	snprintf(digits, sizeof digits, "%d", number);
	const char *const words[] = { "kill", container->id, digits, NULL };
	if (runtime_run_within(store, container->facts, lock, words, limit_ms, NULL, err) == 0)
		return 0;
	return container_signal_process(container, number, &ignored) > 0 ? 0 : -1;
}

/* By the runtime; where that is gone, by ourselves. One that fails, or hangs, may have done a part
 * of it. */
static int kill_all(const struct store *store, const struct container *container, int number,
		    struct error *err)
{
	char digits[16];

	snprintf(digits, sizeof digits, "%d", number);
	const char *const words[] = { "kill", "--all", container->id, digits, NULL };
	if (runtime_run_within(store, container->facts, -1, words, RUNTIME_KILL_MS, NULL, err) == 0)
		return 0;
	if (runtime_is_there(container->facts))
		return -1;
	return cgroups_signal(json_object_get(container->facts, "cgroups"), number) ? 0 : -1;
}

static int run_kill(const struct cli *cli, struct error *err)
{
	const struct kill_settings *settings = cli->settings;
	const char *name = cli->operand_count > 1 ? cli->operands[1] : "TERM";
	int number = signal_number(name);
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (number == 0)
		return cli_usage(cli, err, "\"%s\" is not a signal", name);
	if (store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0)
		return -1;
	enum container_status status = container_status(&container);
	if (status == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped",
				 container.id);

	int sent = settings->all
			   ? kill_all(&store, &container, number, err)
			   : kill_container(&store, &container, -1, number, RUNTIME_KILL_MS, err);
	/* frozen processes die when they thaw; where the runtime sent it, it has seen to that */
	if (sent == 0 && number == SIGKILL && status == CONTAINER_PAUSED)
		cgroups_thaw(json_object_get(container.facts, "cgroups"));
	return sent;
}

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct kill_settings, all),
	  "send it to every process of the container" },
	{ 0 },
};

const struct cli_command kill_command = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "send a signal to a container (default TERM)",
	.options = options,
	.settings_size = sizeof(struct kill_settings),
	.run = run_kill,
};
