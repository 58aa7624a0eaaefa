/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char space[CMSG_SPACE(STREAM_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int stream_control_send(int fd, const void *message, size_t length, const int *fds, size_t count,
			struct error *err)
{
	union control control = { 0 };
	struct iovec bytes = { (void *)message, length };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t sent;

	if (count > 0) {
		header.msg_control = control.space;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));

		struct cmsghdr *rights = &control.align; /* the first */
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? error_os(err, "control socket") : 0;
}

static void take_fds(struct msghdr *header, int *fds, size_t *count)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(header);

	*count = 0;
	if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
		return;
	*count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(rights), *count * sizeof(int));
}

int stream_control_receive(int fd, void *message, size_t length, int fds[static STREAM_FDS_MAX],
			   size_t *count, struct error *err)
{
	union control control = { 0 };
	struct iovec bytes = { message, length };
	struct msghdr header = { .msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof control };
	ssize_t got;

	do
		got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? 0 : error_os(err, "control socket");
	take_fds(&header, fds, count);
	if (got == 0)
		return 0;
	if ((size_t)got == length && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 1;
	while (*count > 0)
		close(fds[--*count]);
	return error_set(err, ERROR_FAILED, "control socket: malformed message");
}
