/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further process in a container. The runtime only starts it, with our own standard streams, and
 * is gone then; the process becomes our child, since we are the nearest subreaper. So its exit
 * status is the kernel's word, its number stays taken until we have read that, and no runtime stays
 * in memory meanwhile.
 */
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/exec_process.h"
#include "ocid-shim/not_run.h"
#include "ocid-shim/runtime.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TOOK_TOO_LONG = 124, /* as timeout(1) has it */
	TIMEOUT_MAX = INT_MAX / 1000,
	PID_MAX_LENGTH = 32,
	CHILDREN_MAX = 1 << 20
};

struct exec_settings {
	struct exec_request request;
	long long timeout; /* seconds; 0: none */
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Start the runtime's `exec` of what process_fd holds; it writes the process id to the file. */
static pid_t start(const struct store *store, const struct container *container, int process_fd,
		   const char *pid_path, int log_fd, struct error *err)
{
	cleanup_strings struct strings argv = { 0 };
	cleanup_fd int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	runtime_command(store, json_text(container->facts, "runtime", "runc"),
			json_object_get(container->facts, "runtimeOptions"), log_fd, &argv);
	strings_add(&argv, "exec");
	strings_add(&argv, "--detach");
	strings_add(&argv, "--pid-file");
	strings_add(&argv, pid_path);
	strings_add(&argv, "--process");
	strings_addf(&argv, "/proc/self/fd/%d", process_fd);
	strings_add(&argv, container->id);

	const int pass[] = { log_fd, process_fd, -1 };
	const struct spawn spawn = { .argv = (const char *const *)argv.items,
				     .stdin_fd = input,
				     .pass_fds = pass };
	return spawn_start(&spawn, err);
}

/* Wait for the end of a child. 0, or 1 when time has run out or we are asked to end. */
static int await_end(pid_t pid, long long deadline, struct error *err)
{
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = pid_fd, .events = POLLIN };

	if (pid_fd < 0)
		return error_os(err, "process %d", (int)pid);
	while (!cli_interrupted()) {
		long long left = deadline ? deadline - now_ms() : -1;

		if (deadline && left <= 0)
			return 1;
		if (poll(&ended, 1, (int)left) > 0)
			return 0;
	}
	return 1;
}

/* End all children of ours with their process groups: the runtime, the process, what is left of
 * either. */
static void end_children(void)
{
	do {
		struct error ignored;
		size_t length;
		cleanup_free char *list = file_read_at(AT_FDCWD, "/proc/thread-self/children",
						       CHILDREN_MAX, &length, &ignored);
		char *rest = list;

		for (const char *word; rest && (word = strsep(&rest, " "));) {
			pid_t pid = (pid_t)strtol(word, NULL, 10);

			if (pid > 1) {
				kill(-pid, SIGKILL);
				kill(pid, SIGKILL);
			}
		}
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The process that the runtime has made, which is a child of ours now. */
static pid_t find_process(const char *pid_path, struct error *err)
{
	struct error ignored;
	size_t length;
	siginfo_t info;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, pid_path, PID_MAX_LENGTH, &length, &ignored);
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;

	if (pid < 2 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return error_set(err, ERROR_FAILED,
				 "the runtime did not say which process it made");
	return pid;
}

/* Wait for a child, and end all of them where that takes too long or we are asked to end. */
static int await_or_end(const struct cli *cli, pid_t pid, long long deadline, struct error *err)
{
	const struct exec_settings *settings = cli->settings;
	int late = await_end(pid, deadline, err);

	if (late == 0)
		return 0;
	end_children();
	if (late < 0)
		return not_run(err);
	error_set(err, ERROR_TEMPORARY, "%s took longer than %lld seconds and was ended",
		  cli->operands[1], settings->timeout);
	err->kind = (enum error_kind)TOOK_TOO_LONG;
	return -1;
}

/* Have the runtime make the process, until the deadline. */
static pid_t make_process(const struct cli *cli, const struct store *store,
			  const struct container *container, const char *pid_path,
			  long long deadline, struct error *err)
{
	const struct exec_settings *settings = cli->settings;
	cleanup_fd int log_fd = runtime_log_open(err);
	cleanup_fd int process_fd =
		log_fd < 0 ? -1
			   : exec_process(container->facts, &settings->request,
					  (const char *const *)cli->operands + 1, err);
	pid_t runtime =
		process_fd < 0 ? -1 : start(store, container, process_fd, pid_path, log_fd, err);

	if (runtime < 0)
		return not_run(err);
	if (await_or_end(cli, runtime, deadline, err) < 0)
		return -1;

	int status = reap(runtime);
	if (status != 0) {
		runtime_failed(json_text(container->facts, "runtime", "runc"), log_fd, NULL, status,
			       err);
		return not_run(err);
	}
	pid_t process = find_process(pid_path, err);
	return process < 0 ? not_run(err) : process;
}

static int run_exec(const struct cli *cli, struct error *err)
{
	const struct exec_settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_container struct container container = { .dir_fd = -1 };

	if (settings->timeout < 0 || settings->timeout > TIMEOUT_MAX)
		return cli_usage(cli, err, "--timeout: 0 to %d seconds", TIMEOUT_MAX);
	if (exec_request_check(cli, &settings->request, err) < 0)
		return -1;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		error_os(err, "subreaper");
		return not_run(err);
	}
	if (store_open(cli, &store, err) < 0 ||
	    container_open(&store, cli->operands[0], &container, err) < 0)
		return not_run(err);

	enum container_status status = container_status(&container);
	if (status == CONTAINER_STOPPED || status == CONTAINER_PAUSED) {
		error_set(err, ERROR_IN_USE, "container \"%s\" is %s, not running", container.id,
			  container_status_name(status));
		return not_run(err);
	}
	cleanup_free char *pid_path =
		xasprintf("%s/containers/%s/exec-%d", store.runroot, container.id, (int)getpid());
	long long deadline = settings->timeout ? now_ms() + settings->timeout * 1000 : 0;
	pid_t process = make_process(cli, &store, &container, pid_path, deadline, err);
	unlink(pid_path);
	if (process < 0 || await_or_end(cli, process, deadline, err) < 0)
		return -1;
	return reap(process);
}

static const struct cli_option options[] = {
	{ "env", 'e', "NAME=VALUE", OPTION_LIST, offsetof(struct exec_settings, request.env),
	  "add to the container's own environment" },
	{ "cwd", 0, "DIR", OPTION_STRING, offsetof(struct exec_settings, request.cwd),
	  "the working directory (default: the container's)" },
	{ "user", 'u', "UID[:GID]", OPTION_STRING, offsetof(struct exec_settings, request.user),
	  "the user, in numbers (default: the container's)" },
	{ "timeout", 't', "SECONDS", OPTION_NUMBER, offsetof(struct exec_settings, timeout),
	  "end it with its process group after that time (exit 124)" },
	{ 0 },
};

const struct cli_command exec_command = {
	.name = "exec",
	.operands = "ID COMMAND [ARG...]",
	.operands_min = 2,
	.operands_max = -1,
	.summary = "run a command in a running container",
	.details = "It has our standard input, output and error, and no terminal of its own. Its\n"
		   "exit code becomes ours; 125 to 127 say that it did not run. Options stand\n"
		   "before the ID.",
	.options = options,
	.settings_size = sizeof(struct exec_settings),
	.stop_at_operand = true,
	.run = run_exec,
};
