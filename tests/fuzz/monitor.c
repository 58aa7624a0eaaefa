/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary clients of a container's monitor: what comes to its control socket, with descriptors of
 * any kind, and what attachers send, between output of the container. */
#include "ocid-shim/monitor/monitor.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 3, MESSAGE_MAX = 16, FDS_MAX = 3 };

struct input {
	const uint8_t *at, *end;
};

/* Ours are the other ends of what the monitor was given. */
struct rig {
	struct monitor monitor;
	int control_fd, clients[CLIENTS];
	size_t count;
};

int events_watch(const struct monitor *monitor, int fd, enum event event)
{
	struct epoll_event watch = { .events = EPOLLIN, .data.u32 = event };

	return epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, fd, &watch);
}

void events_stop_watching(const struct monitor *monitor, int fd)
{
	epoll_ctl(monitor->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static uint8_t next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static size_t take(struct input *input, char bytes[static MESSAGE_MAX])
{
	size_t length = next(input) % (MESSAGE_MAX + 1);

	if (length > (size_t)(input->end - input->at))
		length = (size_t)(input->end - input->at);
	memcpy(bytes, input->at, length);
	input->at += length;
	return length;
}

/* A descriptor for a message; an attacher's other end stays with us. */
static int make_descriptor(struct rig *rig, uint8_t kind)
{
	int fds[2];

	if (kind % 4 == 0)
		return memfd_create("log", MFD_CLOEXEC);
	if (kind % 4 == 1)
		return epoll_create1(EPOLL_CLOEXEC);
	if (socketpair(AF_UNIX, (kind % 4 == 2 ? SOCK_DGRAM : SOCK_SEQPACKET) | SOCK_NONBLOCK, 0,
		       fds) < 0)
		abort();
	if (rig->clients[rig->count % CLIENTS] >= 0)
		close(rig->clients[rig->count % CLIENTS]);
	rig->clients[rig->count++ % CLIENTS] = fds[1];
	return fds[0];
}

static void send_control(struct rig *rig, struct input *input)
{
	union {
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char bytes[MESSAGE_MAX];
	struct iovec piece = { bytes, take(input, bytes) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	size_t count = next(input) % (FDS_MAX + 1);
	int fds[FDS_MAX];

	for (size_t i = 0; i < count; i++)
		fds[i] = make_descriptor(rig, next(input));
	if (count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(count * sizeof(int)) };
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	if (sendmsg(rig->control_fd, &message, 0) < 0)
		abort();
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	control_receive(&rig->monitor);
}

static void send_as_attacher(struct rig *rig, struct input *input)
{
	int *client = &rig->clients[next(input) % CLIENTS];
	char bytes[MESSAGE_MAX];
	size_t length = take(input, bytes);
	bool can_send = next(input) % 2;

	if (*client < 0)
		return;
	if (length > 0 && send(*client, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		close(*client);
		*client = -1;
	}
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		attach_hear(&rig->monitor, i, can_send);
}

static void step(struct rig *rig, struct input *input)
{
	static const char output[512] = "output\n";
	struct monitor *monitor = &rig->monitor;
	int *client;

	switch (next(input) % 5) {
	case 0:
	case 1:
		send_control(rig, input);
		break;
	case 2:
		send_as_attacher(rig, input);
		break;
	case 3:
		if (attach_ready(monitor))
			attach_send(monitor, 1, output, sizeof output);
		else
			attach_lose_patience(monitor);
		break;
	case 4:
		client = &rig->clients[next(input) % CLIENTS];
		if (*client >= 0)
			close(*client);
		*client = -1;
		break;
	}
}

static void check(const struct monitor *monitor)
{
	int attached = 0;

	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		attached += monitor->attachers[i].fd >= 0;
	if (attached != monitor->attached || (!monitor->has_input && monitor->input_fd >= 0))
		abort();
}

static void rig_open(struct rig *rig, uint8_t flags)
{
	struct monitor *monitor = &rig->monitor;
	int fds[2];

	*rig = (struct rig){ .clients = { -1, -1, -1 } };
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		abort();
	rig->control_fd = fds[0];
	monitor->control_fd = fds[1];
	monitor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	monitor->console_fd = monitor->log.journal.fd = -1;
	monitor->streams[0].fd = monitor->streams[1].fd = -1;
	monitor->log.fd = memfd_create("log", MFD_CLOEXEC);
	monitor->log.path = "/nowhere";
	monitor->log.max = flags & 4 ? 4096 : 0;
	monitor->has_input = flags & 1;
	monitor->input_ends_once = flags & 2;
	monitor->input_fd = monitor->has_input ? memfd_create("input", MFD_CLOEXEC) : -1;
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		monitor->attachers[i].fd = -1;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void rig_close(struct rig *rig)
{
	const struct monitor *monitor = &rig->monitor;
	const int fds[] = { rig->control_fd, monitor->control_fd, monitor->epoll_fd,
			    monitor->log.fd, monitor->input_fd };

	close_all(rig->clients, CLIENTS);
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		close_all(&monitor->attachers[i].fd, 1);
	close_all(fds, sizeof fds / sizeof *fds);
}

static int lowest_free(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	int before = lowest_free();
	struct rig rig;

	rig_open(&rig, next(&input));
	while (input.at < input.end) {
		step(&rig, &input);
		check(&rig.monitor);
	}
	rig_close(&rig);
	/* what came with messages is kept by an attacher or closed */
	if (lowest_free() != before)
		abort();
	return 0;
}
