/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/criu.h"
#include "ocid-shim/runtime.h"
#include "ocid-shim/wait.h"

#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/store.h"

#include <stdlib.h>

struct checkpoint_settings {
	bool leave_running, tcp_established, file_locks;
};

/* The runtime's `checkpoint`; what CRIU logs goes beside the image. */
static int checkpoint(const struct store *store, const struct container *container,
		      const struct checkpoint_settings *settings, const char *directory, int lock,
		      struct error *err)
{
	cleanup_strings struct strings words = { 0 };

	strings_add(&words, "checkpoint");
	strings_add(&words, "--image-path");
	strings_add(&words, directory);
	strings_add(&words, "--work-path");
	strings_add(&words, directory);
	if (settings->leave_running)
		strings_add(&words, "--leave-running");
	if (settings->tcp_established)
		strings_add(&words, "--tcp-established");
	if (settings->file_locks)
		strings_add(&words, "--file-locks");
	strings_add(&words, container->id);
	if (runtime_run(store, container->facts, lock, (const char *const *)words.items, NULL,
			err) < 0)
		return error_hint(err, "see %s/dump.log", directory);
	return 0;
}

static int run_checkpoint(const struct cli *cli, struct error *err)
{
	const struct checkpoint_settings *settings = cli->settings;
	const char *id = cli->operands[0];
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;

	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = container_open_locked(&store, id, &container, err);
	if (lock < 0)
		return -1;

	enum container_status status = container_status(&container);
	if (status != CONTAINER_RUNNING)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not running", id,
				 container_status_name(status));
	if (criu_check(err) < 0 || path_make_dirs(cli->operands[1], 0700, err) < 0)
		return -1;

	cleanup_free char *directory = realpath(cli->operands[1], NULL);
	if (!directory)
		return error_os(err, "%s", cli->operands[1]);
	if (checkpoint(&store, &container, settings, directory, lock, err) < 0)
		return -1;
	if (!settings->leave_running)
		return wait_and_print(cli, &container, err);
	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

static const struct cli_option options[] = {
	{ "leave-running", 'R', NULL, OPTION_FLAG,
	  offsetof(struct checkpoint_settings, leave_running), "let the container go on" },
	{ "tcp-established", 0, NULL, OPTION_FLAG,
	  offsetof(struct checkpoint_settings, tcp_established), "also open TCP connections" },
	{ "file-locks", 0, NULL, OPTION_FLAG, offsetof(struct checkpoint_settings, file_locks),
	  "also locks of files" },
	{ 0 },
};

const struct cli_command checkpoint_command = {
	.name = "checkpoint",
	.operands = "ID DIR",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "save the processes of a running container",
	.details =
		"By the runtime and CRIU, to the directory; see restore. The container has ended\n"
		"then, and how is printed; with --leave-running it goes on.",
	.options = options,
	.settings_size = sizeof(struct checkpoint_settings),
	.run = run_checkpoint,
};
