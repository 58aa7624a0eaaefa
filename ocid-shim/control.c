/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/control.h"

#include "lib/cleanup.h"
#include "ocid-shim/container.h"
#include "ocid-shim/descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ANSWER_SECONDS = 10,
	/* bytes in the kernel for what an attacher has not read yet: many packets, so that who is
	 * behind at the container's end still gets all of it */
	QUEUE_SIZE = 1 << 20
};

static int check_monitor(const struct container *container, struct error *err)
{
	if (container_status(container) == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped",
				 container->id);
	if (!container_is_watched(container))
		return error_set(err, ERROR_FAILED, "container \"%s\": its monitor died",
				 container->id);
	return 0;
}

static int send_to(const struct container *container, const void *message, size_t length,
		   const int *fds, size_t count, struct error *err)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* through /proc, since the directory's own name may be too long for a socket */
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/ctl",
		 container->dir_fd);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    descriptors_send(fd, message, length, fds, count) < 0)
		return error_os(err, "container %s: cannot reach its monitor", container->id);
	return 0;
}

int control_request(const struct container *container, const void *message, size_t length,
		    int passed_fd, struct error *err)
{
	const int size = QUEUE_SIZE;
	int pair[2];

	if (check_monitor(container, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_os(err, "socket pair");
	cleanup_fd int ours = pair[0];
	cleanup_fd int theirs = pair[1]; /* closed soon, so that the monitor's end is heard of */
	if (setsockopt(theirs, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);

	const int fds[] = { theirs, passed_fd };
	if (send_to(container, message, length, fds, passed_fd < 0 ? 1 : 2, err) < 0) {
		struct error reason = *err;

		if (check_monitor(container, err) == 0)
			*err = reason;
		return -1;
	}
	control_set_patience(ours, ANSWER_SECONDS);
	return steal_fd(&ours);
}

void control_set_patience(int answer_fd, int seconds)
{
	const struct timeval patience = { .tv_sec = seconds };

	setsockopt(answer_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

int control_answer(const struct container *container, int answer_fd, void *answer, size_t size,
		   int *received_fd, struct error *err)
{
	int fd = -1;
	ssize_t got = descriptor_receive(answer_fd, answer, size, &fd);
	if (got < 0 && errno == EAGAIN)
		return error_set(err, ERROR_TEMPORARY, "container %s: its monitor does not answer",
				 container->id);
	if (got < 0)
		return error_os(err, "container %s: its monitor", container->id);
	control_set_patience(answer_fd, 0);
	if (received_fd)
		*received_fd = fd;
	else if (fd >= 0)
		close(fd);
	/* it may have ended in the meantime */
	return got == 0 && check_monitor(container, err) < 0 ? -1 : (int)got;
}
