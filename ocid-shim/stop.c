/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "lib/store.h"
#include "ocid-shim/cgroups.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/kill.h"
#include "ocid-shim/wait.h"

#include <limits.h>
#include <signal.h>

enum { TIMEOUT_DEFAULT = 10, TIMEOUT_MAX = INT_MAX / 1000, KILL_MS = 10000 };

struct stop_settings {
	long long timeout; /* seconds */
};

/* The signal that the image asks for (image-spec, conversion.md). A bad one must not keep the
 * container from being stopped. */
static int stop_signal(const struct container *container)
{
	const json_t *annotations = json_object_get(container->facts, "annotations");
	const char *name = json_text(annotations, "org.opencontainers.image.stopSignal", "TERM");
	int number = signal_number(name);

	if (number > 0)
		return number;
	log_message(LOG_LEVEL_WARN, "container %s: stop signal \"%s\" is none, TERM is sent",
		    container->id, name);
	return SIGTERM;
}

/* Send the signal and wait for the end. 0 when it has ended, 1 when it has not in that time. */
static int end(const struct store *store, const struct container *container, int number,
	       int timeout_ms, struct error *err)
{
	struct error ignored;
	bool paused = container_status(container) == CONTAINER_PAUSED;
	long long deadline = clock_ms() + timeout_ms;

	/* a runtime that hangs leaves the container half of the time; it also fails when the
	 * process has just ended by itself */
	if (kill_container(store, container, -1, number, timeout_ms / 2, err) < 0)
		return container_await_process(container, 0, &ignored) == 0 ? 0 : -1;
	/* frozen processes get signals when they thaw; the runtime may have done that for KILL */
	if (paused)
		cgroups_thaw(json_object_get(container->facts, "cgroups"));
	long long left = deadline - clock_ms();
	return container_await_process(container, left > 0 ? (int)left : 0, err);
}

static int stop(const struct store *store, const struct container *container, int timeout_ms,
		struct error *err)
{
	enum container_status status = container_status(container);
	int goes_on = 1;

	if (status == CONTAINER_STOPPED)
		return 0;
	/* what was never started has nothing to finish */
	if (status != CONTAINER_CREATED && timeout_ms > 0)
		goes_on = end(store, container, stop_signal(container), timeout_ms, err);
	if (goes_on > 0)
		goes_on = end(store, container, SIGKILL, KILL_MS, err);
	if (goes_on > 0)
		return error_set(err, ERROR_TEMPORARY,
				 "container \"%s\" has not ended %d seconds after KILL",
				 container->id, KILL_MS / 1000);
	return goes_on;
}

static int run_stop(const struct cli *cli, struct error *err)
{
	const struct stop_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (settings->timeout < 0 || settings->timeout > TIMEOUT_MAX)
		return cli_usage(cli, err, "--timeout: 0 to %d seconds", TIMEOUT_MAX);
	if (store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0 ||
	    stop(&store, &container, (int)settings->timeout * 1000, err) < 0)
		return -1;
	return wait_and_print(cli, &container, err);
}

static const struct cli_option options[] = {
	{ "timeout", 't', "SECONDS", OPTION_NUMBER, offsetof(struct stop_settings, timeout),
	  "time until KILL (default 10; 0: at once)" },
	{ 0 },
};

static const struct stop_settings defaults = { .timeout = TIMEOUT_DEFAULT };

const struct cli_command stop_command = {
	.name = "stop",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "stop a container with its stop signal, then with KILL",
	.details = "Prints how the container ended, as `wait` does, even if it had stopped before.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_stop,
};
