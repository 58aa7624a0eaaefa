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

enum { DESCRIPTORS = 2, REQUEST_MAX = 1 + sizeof(struct monitor_size) };

struct request {
	char bytes[REQUEST_MAX];
	size_t length, descriptors;
	int fds[DESCRIPTORS];
};

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

/* Whether a log that rotates has been rotated since that file was opened as the new one: then it is
 * an old one by now, and the log is another already. */
static bool is_outdated(const struct log *log, const struct stat *status)
{
	struct stat current;

	return log->max && stat(log->path, &current) == 0 &&
	       (current.st_ino != status->st_ino || current.st_dev != status->st_dev);
}

/* Between two messages no record is half written, so the log can change at once. */
static bool reopen(struct log *log, int fd)
{
	struct stat status;

	/* only writing to a file never waits for anybody */
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || log->fd < 0)
		return false;
	if (is_outdated(log, &status))
		return true;
	if (dup3(fd, log->fd, O_CLOEXEC) < 0)
		return false;
	log->size = status.st_size;
	return true;
}

/* Deal with a message that is whole. Whether it was something, and done, with no answer yet. */
static bool deal(struct monitor *monitor, const struct request *request)
{
	const int *fds = request->fds;

	switch (request->bytes[0]) {
	case MONITOR_REOPEN:
		return request->length == 1 && request->descriptors == 2 &&
		       reopen(&monitor->log, fds[1]);
	case MONITOR_RESIZE: {
		struct monitor_size size;

		if (request->length != 1 + sizeof size || request->descriptors != 1)
			return false;
		memcpy(&size, request->bytes + 1, sizeof size);
		return console_resize(monitor, &size) == 0;
	}
	default:
		return false;
	}
}

static void receive(struct monitor *monitor, struct request *request)
{
	if (request->descriptors == 0)
		return;
	if (request->bytes[0] == MONITOR_ATTACH && request->length == 2 &&
	    request->descriptors == 1 && attach_add(monitor, request->fds[0], request->bytes[1])) {
		request->descriptors = 0; /* it stays */
		return;
	}
	if (deal(monitor, request))
		send(request->fds[0], request->bytes, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_receive(struct monitor *monitor)
{
	union {
		char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct request request = { .descriptors = 0 };
	struct iovec piece = { request.bytes, sizeof request.bytes };
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };
	ssize_t got = recvmsg(monitor->control_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	request.length = (size_t)got;
	request.descriptors = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(request.fds, CMSG_DATA(header), request.descriptors * sizeof(int));
	if (got > 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		receive(monitor, &request);
	for (size_t i = 0; i < request.descriptors; i++)
		close(request.fds[i]);
}
