/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TRIM_AFTER_MS = 1000,
	LAST_WORDS_MS = 1000 /* for a terminal that others than the container's first write to */
};

int events_watch(const struct monitor *monitor, int fd, enum event event)
{
	/* files of cgroups tell of changes so, and can be read always */
	bool counts = fd == monitor->oom_fd || fd == monitor->oom_slice_fd;
	unsigned kind = counts ? EPOLLPRI : EPOLLIN;
	struct epoll_event watch = { .events = kind, .data.u32 = event };

	return epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, fd, &watch);
}

void events_stop_watching(const struct monitor *monitor, int fd)
{
	epoll_ctl(monitor->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* The container's output: to those who are attached, and to the log. */
static ssize_t read_output(struct monitor *monitor, struct stream *stream, size_t max)
{
	ssize_t got = stream_read(stream, max);

	if (got <= 0)
		return got;
	if (monitor->attached)
		attach_send(monitor, stream == monitor->streams ? 1 : 2,
			    stream->buffer + stream->used - got, (size_t)got);
	stream_record(&monitor->log, stream, (size_t)got);
	return got;
}

/* While the runtime is at work nobody knows yet whose words these are: they stay in the buffer.
 * Should they be too many, those of a container that starts are recorded, the runtime's dropped. */
static ssize_t read_early(struct monitor *monitor, struct stream *stream, size_t max)
{
	if (stream->used == LOG_BUFFER && monitor->starts) {
		if (!monitor->started[0])
			stamp_now(monitor->started);
		stream_record(&monitor->log, stream, stream->used);
	} else if (stream->used == LOG_BUFFER) {
		stream_keep_end(stream, MONITOR_TEXT_SIZE);
	}
	return stream_read(stream, max);
}

/* One read. The same result as stream_read(); ends the stream at its end. */
static ssize_t read_stream(struct monitor *monitor, struct stream *stream, size_t max)
{
	ssize_t got = monitor->init ? read_output(monitor, stream, max)
				    : read_early(monitor, stream, max);

	if (got == 0) {
		if (monitor->init)
			stream_end(&monitor->log, stream);
		events_stop_watching(monitor, stream->fd);
		if (stream->fd == monitor->console_fd) {
			monitor->console_fd = monitor->input_fd = -1;
			monitor->has_input = false;
		}
		close(stream->fd);
		stream->fd = -1;
	}
	return got;
}

/* What is in a pipe now. Another process may hold it and write for ever: what is there was written
 * before the container ended or at the same time, the rest was not. */
static void drain_pipe(struct monitor *monitor, struct stream *stream)
{
	int waiting = 0;

	if (ioctl(stream->fd, FIONREAD, &waiting) < 0)
		waiting = 0;
	while (stream->fd >= 0) {
		ssize_t got =
			read_stream(monitor, stream, waiting > 0 ? (size_t)waiting : LOG_BUFFER);

		if (got <= 0)
			break;
		waiting -= (int)got;
		if (waiting <= 0 && monitor->exited)
			break;
	}
}

/* What is on its way through a terminal, which poll() brings up, and nothing else tells of. */
static void drain_terminal(struct monitor *monitor, struct stream *stream)
{
	struct pollfd terminal = { .fd = stream->fd, .events = POLLIN };
	long long deadline = process_clock() + LAST_WORDS_MS;

	while (stream->fd >= 0 && poll(&terminal, 1, 0) > 0 && process_clock() < deadline)
		read_stream(monitor, stream, LOG_BUFFER);
}

void events_drain(struct monitor *monitor)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *stream = &monitor->streams[i];

		if (stream->fd >= 0 && stream->fd == monitor->console_fd)
			drain_terminal(monitor, stream);
		else if (stream->fd >= 0)
			drain_pipe(monitor, stream);
	}
}

void events_release(struct monitor *monitor)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *stream = &monitor->streams[i];

		/* on pipes beside a terminal nobody but the runtime has said anything */
		if (!monitor->starts || monitor->terminal) {
			stream->used = 0;
			continue;
		}
		if (stream->used > 0)
			stream_record(&monitor->log, stream, stream->used);
		if (stream->fd < 0)
			stream_end(&monitor->log, stream);
	}
}

void events_reap(struct monitor *monitor)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(monitor->signal_fd, &info, sizeof info) > 0)
		;
	/* others may be the container's init, whose exit must be kept until its process id is
	 * known, and its cgroups to ocid-shim */
	pid_t which = monitor->committed ? -1 : monitor->runtime_pid;
	while (which != 0 && (pid = waitpid(which, &status, WNOHANG)) > 0) {
		if (pid == monitor->runtime_pid) {
			monitor->runtime_pid = 0;
			monitor->runtime_status = status;
			if (which != -1)
				break;
		} else if (pid == monitor->init) {
			monitor->exited = true;
			monitor->exit_status = status;
		}
	}
}

static void hear(struct monitor *monitor)
{
	char byte;
	ssize_t got = recv(monitor->sync_fd, &byte, 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	events_stop_watching(monitor, monitor->sync_fd);
	if (got == 1 && byte == MONITOR_COMMIT)
		monitor->committed = true;
	else
		monitor->abandoned = true;
}

static void handle(struct monitor *monitor, const struct epoll_event *event)
{
	switch (event->data.u32) {
	case EVENT_STDOUT:
	case EVENT_STDERR:
		/* the same batch of events may have ended or stopped it */
		if (monitor->streams[event->data.u32].fd >= 0 && attach_ready(monitor))
			read_stream(monitor, &monitor->streams[event->data.u32], LOG_BUFFER);
		break;
	case EVENT_CHILD:
		events_reap(monitor);
		break;
	case EVENT_SYNC:
		hear(monitor);
		break;
	case EVENT_CONSOLE:
		console_receive(monitor);
		break;
	case EVENT_CONTROL:
		control_receive(monitor);
		break;
	case EVENT_OOM:
		oom_hear(monitor);
		break;
	default:
		attach_hear(monitor, event->data.u32 - EVENT_ATTACHER,
			    (event->events & EPOLLOUT) != 0);
		break;
	}
}

/* How long to wait for an event; -1: for ever. */
static int timeout_until(const struct monitor *monitor, long long deadline)
{
	const long long others[] = { monitor->patience_ends, monitor->oom_check };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i] && (deadline < 0 || others[i] < deadline))
			deadline = others[i];
	if (deadline < 0)
		return -1;
	long long left = deadline - process_clock();
	return left > 0 ? (int)left : 0;
}

void events_step(struct monitor *monitor, long long deadline)
{
	struct epoll_event events[8];
	int timeout = timeout_until(monitor, deadline);
	bool may_trim = monitor->log.touched && timeout < 0;
	int count = epoll_wait(monitor->epoll_fd, events, 8, may_trim ? TRIM_AFTER_MS : timeout);

	if (count == 0 && may_trim) {
		/* quiet for a while: an idle monitor needs no buffers */
		stream_trim(&monitor->streams[0]);
		stream_trim(&monitor->streams[1]);
		log_trim(&monitor->log);
	}
	for (int i = 0; i < count; i++)
		handle(monitor, &events[i]);
	if (monitor->patience_ends && process_clock() >= monitor->patience_ends)
		attach_lose_patience(monitor);
	if (monitor->oom_check && process_clock() >= monitor->oom_check)
		oom_check(monitor);
}
