/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachers (protocol.h). What one has not read yet is in its socket, so in the kernel's memory and
 * bounded by it, never in ours. Before anything is read of the container's output every socket has
 * room for it: a packet is at most MONITOR_PACKET_MAX, and poll() says that a socket can be written
 * to when three quarters of its buffer are free.
 */
#include "ocid-shim/monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void watch(const struct monitor *monitor, size_t index, int operation, unsigned events)
{
	struct epoll_event event = { .events = events,
				     .data.u32 = EVENT_ATTACHER + (unsigned)index };

	epoll_ctl(monitor->epoll_fd, operation, monitor->attachers[index].fd, &event);
}

static void drop(struct monitor *monitor, size_t index)
{
	/* closing alone ends it only where nobody else has the socket, too */
	events_stop_watching(monitor, monitor->attachers[index].fd);
	close(monitor->attachers[index].fd);
	monitor->attachers[index] = (struct attacher){ .fd = -1 };
	monitor->attached--;
}

/* Nobody sends any more input, and the container sees that. */
static void end_input(struct monitor *monitor)
{
	const char byte = MONITOR_INPUT_END;

	monitor->has_input = false;
	if (monitor->terminal)
		console_end_input(monitor);
	else
		close(monitor->input_fd);
	monitor->input_fd = -1;
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++) {
		struct attacher *attacher = &monitor->attachers[i];

		if (attacher->fd < 0 || !attacher->sends_input)
			continue;
		attacher->sends_input = false;
		if (send(attacher->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			drop(monitor, i);
	}
}

/* The attacher sends no more input. */
static void stop_input(struct monitor *monitor, size_t index)
{
	bool ends = monitor->attachers[index].sends_input && monitor->input_ends_once &&
		    monitor->has_input;

	monitor->attachers[index].sends_input = false;
	if (ends)
		end_input(monitor);
}

static void leave(struct monitor *monitor, size_t index)
{
	stop_input(monitor, index);
	if (monitor->attachers[index].fd >= 0)
		drop(monitor, index);
}

/* Tell a new attacher that it is one, and hand it the input. */
static int welcome(const struct monitor *monitor, int fd, bool gets_input)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char bytes[] = { MONITOR_ATTACH, monitor->terminal };
	struct iovec piece = { bytes, sizeof bytes };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (gets_input) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(header), &monitor->input_fd, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

bool attach_add(struct monitor *monitor, int fd, bool wants_input)
{
	bool gets_input = wants_input && monitor->has_input;
	int type = 0;
	socklen_t length = sizeof type;
	size_t index = 0;

	while (index < MONITOR_ATTACHERS && monitor->attachers[index].fd >= 0)
		index++;
	if (index == MONITOR_ATTACHERS || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
	    type != SOCK_SEQPACKET || welcome(monitor, fd, gets_input) < 0)
		return false;
	monitor->attachers[index] = (struct attacher){ .fd = fd, .sends_input = gets_input };
	monitor->attached++;
	watch(monitor, index, EPOLL_CTL_ADD, EPOLLIN);
	return true;
}

static bool has_room(const struct attacher *attacher)
{
	struct pollfd socket = { .fd = attacher->fd, .events = POLLOUT };

	return poll(&socket, 1, 0) > 0;
}

static void watch_output(const struct monitor *monitor, bool on)
{
	for (unsigned i = 0; i < 2; i++) {
		if (monitor->streams[i].fd < 0)
			continue;
		if (on)
			events_watch(monitor, monitor->streams[i].fd, (enum event)i);
		else
			events_stop_watching(monitor, monitor->streams[i].fd);
	}
}

bool attach_ready(struct monitor *monitor)
{
	if (monitor->patience_ends)
		return false;
	for (size_t i = 0; monitor->attached && i < MONITOR_ATTACHERS; i++) {
		struct attacher *attacher = &monitor->attachers[i];

		if (attacher->fd < 0 || has_room(attacher))
			continue;
		attacher->behind = true;
		ioctl(attacher->fd, TIOCOUTQ, &attacher->queued);
		watch(monitor, i, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
		monitor->patience_ends = process_clock() + MONITOR_PATIENCE_MS;
	}
	if (!monitor->patience_ends)
		return true;
	watch_output(monitor, false);
	return false;
}

/* Where the container waits for nobody any more, let its output go on. */
static void go_on(struct monitor *monitor)
{
	if (!monitor->patience_ends)
		return;
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		if (monitor->attachers[i].fd >= 0 && monitor->attachers[i].behind)
			return;
	monitor->patience_ends = 0;
	watch_output(monitor, true);
}

void attach_lose_patience(struct monitor *monitor)
{
	monitor->patience_ends = process_clock() + MONITOR_PATIENCE_MS;
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++) {
		struct attacher *attacher = &monitor->attachers[i];
		int before = attacher->queued;

		if (attacher->fd < 0 || !attacher->behind)
			continue;
		if (ioctl(attacher->fd, TIOCOUTQ, &attacher->queued) < 0 ||
		    attacher->queued >= before)
			leave(monitor, i);
	}
	go_on(monitor);
}

/* Room is looked for before the output is read; but at the container's end, when all is read that
 * is there, it is waited for here. */
static bool send_packet(int fd, const struct msghdr *message)
{
	struct pollfd socket = { .fd = fd, .events = POLLOUT };

	if (sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	return errno == EAGAIN && poll(&socket, 1, MONITOR_PATIENCE_MS) > 0 &&
	       sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void attach_send(struct monitor *monitor, int stream, const char *data, size_t length)
{
	char byte = (char)stream;
	struct iovec pieces[] = { { &byte, 1 }, { (void *)data, length } };
	const struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };

	for (size_t i = 0; i < MONITOR_ATTACHERS; i++) {
		/* one that is gone, or has a socket that is too small for a packet */
		if (monitor->attachers[i].fd >= 0 &&
		    !send_packet(monitor->attachers[i].fd, &message))
			leave(monitor, i);
	}
}

void attach_hear(struct monitor *monitor, size_t index, bool can_send)
{
	struct attacher *attacher = &monitor->attachers[index];
	char bytes[1 + sizeof(struct monitor_size)];
	struct monitor_size size;

	if (attacher->fd < 0)
		return;
	if (can_send && attacher->behind) {
		attacher->behind = false;
		watch(monitor, index, EPOLL_CTL_MOD, EPOLLIN);
	}
	ssize_t got = recv(attacher->fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
	if (got == sizeof bytes && bytes[0] == MONITOR_RESIZE) {
		memcpy(&size, bytes + 1, sizeof size);
		console_resize(monitor, &size);
	} else if (got == 1 && bytes[0] == MONITOR_INPUT_END) {
		stop_input(monitor, index);
	} else if (got >= 0 || errno != EAGAIN) {
		/* it has left, or says what nobody understands */
		leave(monitor, index);
	}
	go_on(monitor);
}
