/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_CANNOT_RUN = 126, STATUS_NO_COMMAND = 127, SIGNAL_STATUS = 128 };

struct ns_exec_settings {
	bool all;
};

/* The status of the command, which another process runs: a signal for us is meant for it. */
static int wait_for(pid_t pid, struct error *err)
{
	int status, signal;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_os(err, "cannot wait for the command");
		if ((signal = cli_interrupt_take()) != 0)
			kill(pid, signal);
	}
	return WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Become the root of a user namespace that has just been entered. */
static int become_root(struct error *err)
{
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_os(err, "cannot become the user namespace's root");
	return 0;
}

/* Enter all that is pinned under the name. *forks: only children are in the PID namespace. */
static int enter_all(const char *runroot, const char *name, bool *forks, struct error *err)
{
	int fds[PIN_KINDS] = { -1, -1, -1, -1, -1 }, status = 0;
	bool found = false;

	for (int kind = 0; kind < PIN_KINDS && status == 0; kind++) {
		cleanup_free char *path = pin_path(runroot, (enum pin_kind)kind, name);
		int there = pin_look(path, (enum pin_kind)kind, err);

		if (there > 0 && (fds[kind] = open(path, O_RDONLY | O_CLOEXEC)) < 0)
			there = error_os(err, "%s", path);
		if (there < 0)
			status = -1;
		found = found || there;
	}
	/* the user namespace last: there we may no longer enter what it does not own */
	for (int kind = PIN_KINDS - 1; kind >= 0 && status == 0; kind--) {
		if (fds[kind] >= 0 && setns(fds[kind], pin_flag((enum pin_kind)kind)) < 0)
			status = error_os(err, "cannot enter the %s of %s",
					  pin_key((enum pin_kind)kind), name);
		else if (fds[kind] >= 0 && kind == PIN_USER)
			status = become_root(err);
	}
	*forks = fds[PIN_PID] >= 0;
	for (int kind = 0; kind < PIN_KINDS; kind++)
		cleanup_fd_p(&fds[kind]);
	if (found)
		return status;
	error_set(err, ERROR_NOT_FOUND, "no namespace \"%s\"", name);
	return error_hint(err, "see ctr-net ns list");
}

static int enter_network(const char *runroot, const char *name, struct error *err)
{
	cleanup_free char *path = ns_path(runroot, name, err);
	cleanup_fd int fd = path ? ns_open(path, err) : -1;

	if (fd < 0)
		return -1;
	return setns(fd, CLONE_NEWNET) < 0 ? error_os(err, "cannot enter %s", path) : 0;
}

/* As shells and env(1) do: a status of our own would look like the command's. */
static int run(char **command)
{
	execvp(command[0], command);
	int status = errno == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
	log_message(LOG_LEVEL_ERROR, "ns exec: cannot run %s: %s", command[0], strerror(errno));
	return status;
}

static int ns_exec(const struct cli *cli, struct error *err)
{
	const struct ns_exec_settings *settings = cli->settings;
	cleanup_free char *runroot = ns_runroot(cli);
	const char *name = cli->operands[0];
	char **command = cli->operands + 1;
	bool forks = false;

	if (strcmp(command[0], "--") == 0)
		command++;
	if (!command[0])
		return cli_usage(cli, err, "missing operand: COMMAND");
	if (settings->all && ns_check_name(name, err) < 0)
		return -1;
	if ((settings->all ? enter_all(runroot, name, &forks, err)
			   : enter_network(runroot, name, err)) < 0)
		return -1;
	if (!forks)
		return run(command);

	pid_t pid = fork();
	if (pid < 0)
		return error_os(err, "cannot fork");
	if (pid == 0)
		_exit(run(command));
	return wait_for(pid, err);
}

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct ns_exec_settings, all),
	  "enter all namespaces pinned under the name" },
	{ 0 },
};

const struct cli_command ns_exec_command = {
	.name = "ns exec",
	.operands = "NETNS COMMAND [ARG]...",
	.operands_min = 2,
	.operands_max = -1,
	.summary = "run a command in a network namespace",
	.details =
		"Only the network namespace is entered, or with --all every namespace pinned\n"
		"under that name; everything else is the host's. The exit status is that of the\n"
		"command.",
	.options = options,
	.settings_size = sizeof(struct ns_exec_settings),
	.stop_at_operand = true,
	.run = ns_exec,
};
