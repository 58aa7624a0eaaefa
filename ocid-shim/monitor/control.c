/* SPDX-License-Identifier: Apache-2.0 */
/* The socket `ctl` (protocol.h). */
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DESCRIPTORS = 2 };

int control_bind(const struct monitor *monitor, int type, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct text path = { address.sun_path, sizeof address.sun_path, 0 };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* through /proc, since the directory's own name may be too long for a socket */
	text_add(&path, "/proc/self/fd/");
	text_add_number(&path, monitor->dir_fd);
	text_add(&path, "/");
	text_add(&path, name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -1;
	return fd;
}

int control_listen(struct monitor *monitor)
{
	monitor->control_fd = control_bind(monitor, SOCK_DGRAM, "ctl");
	if (monitor->control_fd < 0)
		return -1;
	return events_watch(monitor, monitor->control_fd, EVENT_CONTROL);
}

/* Between two messages no record is half written, so the log can change at once. */
static void reopen(const struct monitor *monitor, int log_fd, int answer_fd)
{
	const char byte = MONITOR_REOPEN;
	struct stat status;

	/* only writing to a file never waits for anybody */
	if (fstat(log_fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    dup3(log_fd, monitor->log.fd, O_CLOEXEC) < 0)
		return;
	send(answer_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_receive(struct monitor *monitor)
{
	union {
		char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };
	ssize_t got = recvmsg(monitor->control_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int fds[DESCRIPTORS];

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;

	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	if (got == 1 && byte == MONITOR_REOPEN && count == DESCRIPTORS)
		reopen(monitor, fds[0], fds[1]);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}
