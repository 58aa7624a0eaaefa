/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/runtime.h"

#include <string.h>

enum { ASK_MS = 2000 };

/* Where we can't know better, what the runtime says: a container may have been started by other
 * means, or paused. Its answer is not needed, so its failure is no error. */
static void ask_runtime(const struct store *store, const struct container *container,
			json_t *process)
{
	const char *const words[] = { "state", container->id, NULL };
	cleanup_free char *output = NULL;
	struct error ignored;

	if (runtime_run_within(store, container->facts, -1, words, ASK_MS, &output, &ignored) < 0)
		return;

	json_auto_t *state = json_parse(output, strlen(output), "state", &ignored);
	const char *status = json_text(state, "status", NULL);
	/* whether it has ended we do know better, see kill.h */
	if (status && strcmp(status, "stopped") != 0)
		json_object_set_new(process, "status", json_string(status));
}

static int run_state(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (store_open(cli, &store, err) < 0 ||
	    find_container(&store, cli->operands[0], &container, err) < 0)
		return -1;

	json_auto_t *process = container_describe(&container);
	json_t *annotations = json_object_get(container.facts, "annotations");
	if (container_status(&container) != CONTAINER_STOPPED)
		ask_runtime(&store, &container, process);
	json_object_set(process, "ociVersion", json_object_get(container.facts, "ociVersion"));
	if (annotations)
		json_object_set(process, "annotations", annotations);
	return output_object(cli, process, err);
}

const struct cli_command state_command = {
	.name = "state",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "print the state of a container",
	.details =
		"Prints the OCI runtime state with created, started, finished, exitCode, signal,\n"
		"logPath and runtime.",
	.run = run_state,
};
