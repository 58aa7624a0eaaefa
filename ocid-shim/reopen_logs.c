/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/log_file.h"
#include "ocid-shim/monitor/protocol.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 10 };

/* Send the monitor a request with two descriptors. */
static int send_request(const struct container *container, const int fds[static 2],
			struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte = MONITOR_REOPEN;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_name = &address,
				  .msg_namelen = sizeof address,
				  .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_RIGHTS,
				    .cmsg_len = CMSG_LEN(2 * sizeof(int)) };
	memcpy(CMSG_DATA(header), fds, 2 * sizeof(int));
	/* through /proc, since the directory's own name may be too long for a socket */
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/ctl",
		 container->dir_fd);
	if (fd < 0 || sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return error_os(err, "container %s: cannot reach its monitor", container->id);
	return 0;
}

/* Have the monitor log to log_fd; returns when it does. */
static int hand_over(const struct container *container, int log_fd, struct error *err)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	int pair[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_os(err, "socket pair");
	cleanup_fd int ours = pair[0];
	cleanup_fd int theirs = pair[1];
	setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (send_request(container, (const int[]){ log_fd, theirs }, err) < 0)
		return -1;
	/* once the monitor's is the only one, its end is heard of */
	close(steal_fd(&theirs));

	ssize_t got = recv(ours, &byte, 1, 0);
	if (got < 0 && errno == EAGAIN)
		return error_set(err, ERROR_TEMPORARY, "container %s: its monitor does not answer",
				 container->id);
	if (got < 0)
		return error_os(err, "container %s: its monitor", container->id);
	if (got == 0)
		return error_set(err, ERROR_FAILED, "container %s: its monitor has ended",
				 container->id);
	return 0;
}

static int run_reopen_logs(const struct cli *cli, struct error *err)
{
	const char *id = cli->operands[0];
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0 || container_check_id(id, err) < 0)
		return -1;

	/* of two at once the one that comes later must also have opened its file later */
	cleanup_fd int lock = lock_take(store.locks_fd, "container", id, LOCK_EXCLUSIVE, true, err);
	cleanup_container struct container container = { .dir_fd = -1 };
	if (lock < 0 || container_open(&store, id, &container, err) < 0)
		return -1;
	if (container_status(&container) == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped", id);
	if (!container_is_watched(&container))
		return error_set(err, ERROR_FAILED,
				 "container \"%s\" has no log any more, its monitor died", id);

	cleanup_fd int log_fd = log_file_open(json_text(container.facts, "logPath", "/"), err);
	return log_fd < 0 ? -1 : hand_over(&container, log_fd, err);
}

const struct cli_command reopen_logs_command = {
	.name = "reopen-logs",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "after the log was renamed, go on in a new one",
	.details = "When it returns, the new log is there, and the old one does not grow any more.",
	.run = run_reopen_logs,
};
