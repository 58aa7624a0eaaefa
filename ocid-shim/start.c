/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/start.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/notify.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/runtime.h"

#include <string.h>
#include <unistd.h>

enum {
	PID_MAX = 32,
	START_MS = 60000, /* the hooks that are part of it have the time, too */
	ASK_MS = 2000
};

int start_announce(const struct container *container, struct error *err)
{
	size_t length;

	/* `start` may be called by others than those who made it */
	if (strcmp(json_text(container->facts, "sdNotify", ""), "ready") != 0 ||
	    !notify_is_expected())
		return 0;

	cleanup_free char *pid = file_read_at(container->dir_fd, "shim.pid", PID_MAX, &length, err);

	if (!pid)
		return -1;
	cleanup_free char *lines =
		xasprintf("MAINPID=%.*s\nREADY=1\n", (int)strcspn(pid, "\n"), pid);
	return notify_send(lines, err);
}

/* Whether the runtime has started it although its `start` was ended, now or when somebody tried
 * before us. */
static bool has_started(const struct store *store, const struct container *container, int lock)
{
	const char *const words[] = { "state", container->id, NULL };
	int interrupted = cli_interrupt_take();
	cleanup_free char *output = NULL;
	struct error ignored;
	int asked =
		runtime_run_within(store, container->facts, lock, words, ASK_MS, &output, &ignored);
	json_auto_t *state =
		asked < 0 ? NULL : json_parse(output, strlen(output), "state", &ignored);

	cli_interrupt_put(interrupted);
	return strcmp(json_text(state, "status", ""), "running") == 0;
}

/* Have the runtime start it. */
static int start(const struct store *store, const struct container *container, int lock,
		 struct error *err)
{
	const char *const words[] = { "start", container->id, NULL };
	/* runc waits for the container's own message to the service manager */
	bool waits = strcmp(json_text(container->facts, "sdNotify", ""), "container") == 0;

	if (container_mark_starting(container, err) < 0)
		return -1;
	if (runtime_run_within(store, container->facts, lock, words, waits ? 0 : START_MS, NULL,
			       err) < 0 &&
	    !has_started(store, container, lock)) {
		unlinkat(container->dir_fd, ".started", 0);
		return -1;
	}
	if (container_mark_started(container, err) < 0)
		return -1;
	return start_announce(container, err);
}

static int run_start(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;

	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = find_container_locked(&store, cli->operands[0], &container, err);
	if (lock < 0)
		return -1;

	enum container_status status = container_status(&container);
	if (status != CONTAINER_CREATED)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s already", container.id,
				 container_status_name(status));
	if (!container_is_watched(&container)) {
		error_set(err, ERROR_FAILED, "container \"%s\" cannot start, its monitor died",
			  container.id);
		return error_hint(err, "ocid-shim rm it, and create it again");
	}
	if (start(&store, &container, lock, err) < 0)
		return -1;

	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

const struct cli_command start_command = {
	.name = "start",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "start a created container",
	.run = run_start,
};
