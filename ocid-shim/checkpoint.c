/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/spawn.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/criu.h"
#include "ocid-shim/find.h"
#include "ocid-shim/frozen.h"
#include "ocid-shim/runtime.h"
#include "ocid-shim/wait.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

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
	criu_forget(directory, "dump.log");
	/* it takes as long as the memory is large; CRIU itself limits what may hang */
	if (runtime_run_within(store, container->facts, lock, (const char *const *)words.items, 0,
			       NULL, err) == 0)
		return 0;
	return criu_explain(directory, "dump.log", err);
}

/* Which status it may have is a question of what becomes of it. */
static int check_status(const struct container *container,
			const struct checkpoint_settings *settings, struct error *err)
{
	enum container_status status = container_status(container);

	if (status == CONTAINER_RUNNING || (status == CONTAINER_PAUSED && settings->leave_running))
		return 0;
	return error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not running", container->id,
			 container_status_name(status));
}

/* Make the directory; returns its path without symbolic links, which the caller frees. */
static char *make_directory(const char *path, struct error *err)
{
	if (path_make_dirs(path, 0700, err) < 0)
		return NULL;
	char *directory = realpath(path, NULL);
	if (!directory)
		error_os(err, "%s", path);
	return directory;
}

/* What shall see the files as the processes that were saved do. Returns its exit status, which is
 * ours then: it has said itself what is wrong. */
static int run_between(char *const *argv, struct error *err)
{
	const struct spawn spawn = { .argv = (const char *const *)argv,
				     .stdout_fd = STDOUT_FILENO,
				     .stderr_fd = STDERR_FILENO,
				     .death_signal = SIGTERM };
	cleanup_spawn_result struct spawn_result result = { 0 };

	return spawn_run(&spawn, &result, err) < 0 ? -1 : result.status;
}

/* The command may need the container's lock; before, that keeps the guard waiting. */
static int checkpoint_and_run(const struct cli *cli, const struct store *store,
			      const struct container *container, const char *directory, int *lock,
			      struct error *err)
{
	cleanup_frozen struct frozen frozen = FROZEN_NONE;
	int status = 0;

	if (container_status(container) != CONTAINER_PAUSED)
		status = frozen_start(cli, store, container, *lock, &frozen, err);
	if (status == 0)
		status = checkpoint(store, container, cli->settings, directory, *lock, err);
	cleanup_fd_p(lock);
	if (status == 0)
		status = run_between(&cli->operands[2], err);
	return status == 0 ? frozen_end(&frozen, err) : status;
}

static int run_checkpoint(const struct cli *cli, struct error *err)
{
	const struct checkpoint_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (cli->operands[2] && !settings->leave_running)
		return cli_usage(cli, err, "a command needs --leave-running");
	if (store_open(cli, &store, err) < 0)
		return -1;

	cleanup_fd int lock = find_container_locked(&store, cli->operands[0], &container, err);
	if (lock < 0 || check_status(&container, settings, err) < 0 || criu_check(err) < 0)
		return -1;
	cleanup_free char *directory = make_directory(cli->operands[1], err);
	if (!directory)
		return -1;
	if (cli->operands[2])
		return checkpoint_and_run(cli, &store, &container, directory, &lock, err);
	if (checkpoint(&store, &container, settings, directory, lock, err) < 0)
		return -1;
	if (!settings->leave_running)
		return wait_and_print(cli, &container, err);
	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

static const struct cli_option options[] = {
	{ "leave-running", 'R', NULL, OPTION_FLAG,
	  offsetof(struct checkpoint_settings, leave_running), "keep the container running" },
	{ "tcp-established", 0, NULL, OPTION_FLAG,
	  offsetof(struct checkpoint_settings, tcp_established), "also save open TCP connections" },
	{ "file-locks", 0, NULL, OPTION_FLAG, offsetof(struct checkpoint_settings, file_locks),
	  "also save file locks" },
	{ 0 },
};

const struct cli_command checkpoint_command = {
	.name = "checkpoint",
	.operands = "ID DIR [COMMAND [ARGUMENT...]]",
	.operands_min = 2,
	.operands_max = -1,
	.summary = "save the processes of a running container",
	.details =
		"Uses the runtime and CRIU, and writes to DIR; see restore. The container ends,\n"
		"and how it ended is printed; with --leave-running it continues. COMMAND is run\n"
		"while the container is paused; its output and exit status replace our own.",
	.options = options,
	.settings_size = sizeof(struct checkpoint_settings),
	.run = run_checkpoint,
};
