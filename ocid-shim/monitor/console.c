/* SPDX-License-Identifier: Apache-2.0 */
/* The console socket protocol (runc, docs/terminals.md): the runtime connects and sends the
 * terminal's master as the one descriptor of one message. */
#include "ocid-shim/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

int console_listen(struct monitor *monitor)
{
	int fd = control_bind(monitor, SOCK_STREAM, "console");

	if (fd < 0 || listen(fd, 1) < 0)
		return -1;
	monitor->console_listen_fd = fd;
	return events_watch(monitor, fd, EVENT_CONSOLE);
}

int console_receive(struct monitor *monitor)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char name[256];
	struct iovec piece = { name, sizeof name };
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };
	const struct timeval patience = { .tv_sec = 5 };
	int fd = accept4(monitor->console_listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	close(fd);

	const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)) || monitor->console_fd >= 0)
		return -1;
	memcpy(&monitor->console_fd, CMSG_DATA(header), sizeof(int));
	fcntl(monitor->console_fd, F_SETFL, O_NONBLOCK);
	/* one end that stays open: a terminal that the container has closed for a moment ends
	 * neither its output nor, with a hangup, its processes. Before Linux 4.13 it does. */
	(void)!ioctl(monitor->console_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return 0;
}

int console_resize(const struct monitor *monitor, const struct monitor_size *size)
{
	const struct winsize window = { .ws_row = size->rows, .ws_col = size->columns };

	if (monitor->console_fd >= 0)
		return ioctl(monitor->console_fd, TIOCSWINSZ, &window);
	errno = ENOTTY;
	return -1;
}

void console_end_input(const struct monitor *monitor)
{
	struct termios modes;

	/* a terminal has no other end of file; who reads it raw has to know for himself */
	if (tcgetattr(monitor->console_fd, &modes) < 0 || !(modes.c_lflag & ICANON))
		return;
	/* after a line that has not ended the first one only hands that over */
	const char ends[] = { (char)modes.c_cc[VEOF], (char)modes.c_cc[VEOF] };
	(void)!write(monitor->console_fd, ends, sizeof ends);
}
