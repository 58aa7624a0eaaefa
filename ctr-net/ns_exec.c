/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "ns.h"

#include "lib/cleanup.h"
#include "lib/log.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_CANNOT_RUN = 126, STATUS_NO_COMMAND = 127 };

static int ns_exec(const struct cli *cli, struct error *err)
{
	cleanup_free char *runroot = ns_runroot(cli);
	char **command = cli->operands + 1;

	if (strcmp(command[0], "--") == 0)
		command++;
	if (!command[0])
		return cli_usage(cli, err, "missing operand: COMMAND");

	cleanup_free char *path = ns_path(runroot, cli->operands[0], err);
	cleanup_fd int fd = path ? ns_open(path, err) : -1;
	if (fd < 0)
		return -1;
	if (setns(fd, CLONE_NEWNET) < 0)
		return error_os(err, "cannot enter %s", path);
	execvp(command[0], command);
	/* as shells and env(1) do: a status of our own would look like the command's */
	int status = errno == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
	log_message(LOG_LEVEL_ERROR, "ns exec: cannot run %s: %s", command[0], strerror(errno));
	return status;
}

const struct cli_command ns_exec_command = {
	.name = "ns exec",
	.operands = "NETNS COMMAND [ARG]...",
	.operands_min = 2,
	.operands_max = -1,
	.summary = "run a command in a network namespace",
	.details = "Only the network is that of the namespace; everything else is the host's. The\n"
		   "exit status is the command's own.",
	.stop_at_operand = true,
	.run = ns_exec,
};
