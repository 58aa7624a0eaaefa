/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/session.h"

#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CHUNK = 64 << 10,   /* what a pipe holds */
	IN_MAX = 256 << 10, /* bytes that one channel holds before the client has to wait */
	IN_TOTAL_MAX = 1 << 20,
	OUT_MAX = 128 << 10, /* bytes that wait for the client before everything else is */
	FIXED_POLLS = 2,
	POLLS_OF_CHANNEL = 2,
};

/* ---- channels ---- */

struct channel *session_channel(struct session *session, void *carried, unsigned number)
{
	struct channel *channel = xcalloc(1, sizeof *channel);

	channel->session = session;
	channel->carried = carried;
	channel->number = number;
	channel->in_fd = channel->out_fd = -1;
	channel->next = session->channels;
	session->channels = channel;
	return channel;
}

void channel_receive(struct channel *channel, const void *data, size_t length)
{
	buffer_append(&channel->in, data, length);
}

void channel_send(struct channel *channel, const void *data, size_t length)
{
	if (channel->carried && !channel->finished)
		channel->session->carrier->send(channel, data, length);
}

void channel_finish(struct channel *channel)
{
	if (channel->carried && !channel->finished)
		channel->session->carrier->finish(channel);
	channel->finished = true;
}

void channel_take(struct channel *channel, size_t length)
{
	buffer_consume(&channel->in, length);
	channel->session->carrier->consumed(channel, length);
}

static void close_in(struct channel *channel)
{
	channel->deaf = true;
	if (channel->in_fd < 0)
		return;
	if (channel->in_fd == channel->out_fd)
		shutdown(channel->in_fd, SHUT_WR);
	else
		close(channel->in_fd);
	channel->in_fd = -1;
}

static void close_out(struct channel *channel)
{
	if (channel->out_fd >= 0 && channel->in_fd != channel->out_fd)
		close(channel->out_fd);
	channel->out_fd = -1;
	channel_finish(channel);
}

void channel_drop(struct channel *channel)
{
	if (channel->in_fd >= 0 && channel->in_fd != channel->out_fd)
		close(channel->in_fd);
	channel->in_fd = -1;
	close_out(channel);
	channel->deaf = true;
	channel_take(channel, buffer_length(&channel->in));
}

void session_remove(struct channel *channel)
{
	struct channel **link = &channel->session->channels;

	while (*link != channel)
		link = &(*link)->next;
	*link = channel->next;
	channel_drop(channel);
	buffer_free(&channel->in);
	free(channel);
}

/* ---- bytes from the client ---- */

/* Write what has come in; what nobody will read is dropped. */
static void write_in(struct channel *channel)
{
	ssize_t put = write(channel->in_fd, buffer_data(&channel->in), buffer_length(&channel->in));

	if (put < 0 && errno != EAGAIN && errno != EINTR)
		close_in(channel);
	if (put > 0)
		channel_take(channel, (size_t)put);
}

/* What follows from what has come in. */
static void settle(struct channel *channel)
{
	if (channel->in_fd >= 0 && channel->in_ended && !channel->connecting &&
	    buffer_length(&channel->in) == 0)
		close_in(channel);
	if (channel->deaf)
		channel_take(channel, buffer_length(&channel->in));
}

/* ---- bytes for the client ---- */

static size_t out_length(const struct session *session)
{
	return buffer_length(session->carrier->output((struct session *)session));
}

/* Bytes that may be read for the client now. */
static size_t read_room(const struct channel *channel)
{
	const struct session *session = channel->session;
	size_t room;

	if (channel->out_fd < 0 || channel->connecting || out_length(session) > OUT_MAX)
		return 0;
	if (!channel->carried)
		return CHUNK; /* for nobody */
	room = session->carrier->room(channel);
	return room < CHUNK ? room : CHUNK;
}

static void read_out(struct channel *channel)
{
	unsigned char data[CHUNK];
	size_t room = read_room(channel);
	ssize_t got;

	if (room == 0)
		return;
	got = read(channel->out_fd, data, room);
	if (got > 0)
		channel_send(channel, data, (size_t)got);
	else if (got == 0 || (errno == EAGAIN && channel->drain) ||
		 (errno != EAGAIN && errno != EINTR))
		close_out(channel);
}

/* ---- the loop ---- */

/* True when the client has to wait until what it has sent is written. */
static bool is_full(const struct session *session)
{
	size_t total = 0;

	if (out_length(session) > OUT_MAX)
		return true;
	for (const struct channel *channel = session->channels; channel; channel = channel->next) {
		size_t length = buffer_length(&channel->in);

		total += length;
		if (length > IN_MAX || total > IN_TOTAL_MAX)
			return true;
	}
	return false;
}

static void fill_polls(const struct session *session, struct pollfd *polls)
{
	/* POLLRDHUP: a client that is gone is noticed while nothing is read from it */
	*polls++ = (struct pollfd){
		session->socket_fd,
		(short)(POLLRDHUP | (is_full(session) ? 0 : POLLIN) |
			(out_length(session) > 0 ? POLLOUT : 0)),
		0,
	};
	*polls++ = (struct pollfd){ session->control_fd, POLLIN, 0 };
	for (const struct channel *channel = session->channels; channel; channel = channel->next) {
		bool writes = channel->connecting || buffer_length(&channel->in) > 0;

		*polls++ = (struct pollfd){ writes ? channel->in_fd : -1, POLLOUT, 0 };
		*polls++ =
			(struct pollfd){ read_room(channel) > 0 ? channel->out_fd : -1, POLLIN, 0 };
	}
}

static int flush(struct session *session, struct error *err)
{
	struct buffer *out = session->carrier->output(session);

	while (buffer_length(out) > 0) {
		ssize_t sent = send(session->socket_fd, buffer_data(out), buffer_length(out),
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN)
			return 0;
		if (sent < 0 && errno != EINTR)
			return error_os(err, "the client");
		if (sent > 0)
			buffer_consume(out, (size_t)sent);
	}
	return 0;
}

static int receive(struct session *session, short events, struct error *err)
{
	unsigned char data[CHUNK];
	ssize_t got;

	if (!(events & POLLIN)) { /* gone, with bytes before that nobody can take */
		session->over = true;
		return 0;
	}
	got = recv(session->socket_fd, data, sizeof data, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		session->over = true;
		return 0;
	}
	if (session->carrier->receive(session, data, (size_t)got, err) < 0) {
		struct error ignored;

		flush(session, &ignored); /* what says why */
		return -1;
	}
	return 0;
}

static int take_reply(struct session *session, struct error *err)
{
	struct stream_reply reply;
	int fds[STREAM_FDS_MAX];
	size_t count = 0;
	int got =
		stream_control_receive(session->control_fd, &reply, sizeof reply, fds, &count, err);

	if (got == 0 && session->ending) {
		session->control_fd = -1;
		return 0;
	}
	if (got == 0)
		return error_set(err, ERROR_FAILED, "the session's other process is gone");
	return got < 0 ? -1 : session->service->reply(session, &reply, fds, count, err);
}

static int finish_connect(struct channel *channel, struct error *err)
{
	int failure = 0;
	socklen_t length = sizeof failure;

	if (getsockopt(channel->in_fd, SOL_SOCKET, SO_ERROR, &failure, &length) < 0)
		failure = errno;
	channel->connecting = false;
	return channel->session->service->connected(channel, failure, err);
}

static int serve_channel(struct channel *channel, const struct pollfd *polls, struct error *err)
{
	if (channel->connecting)
		return polls[0].revents ? finish_connect(channel, err) : 0;
	if (channel->in_fd >= 0 && polls[0].revents)
		write_in(channel);
	if (channel->out_fd >= 0 && (polls[1].revents || channel->drain))
		read_out(channel);
	return 0;
}

static int serve_polls(struct session *session, const struct pollfd *polls, struct error *err)
{
	const struct pollfd *at = polls + FIXED_POLLS;
	struct channel *next;

	for (struct channel *channel = session->channels; channel; channel = next) {
		next = channel->next;
		if (serve_channel(channel, at, err) < 0)
			return -1;
		at += POLLS_OF_CHANNEL;
	}
	if (polls[1].revents && take_reply(session, err) < 0)
		return -1;
	if (polls[0].revents & ~POLLOUT)
		return receive(session, polls[0].revents, err);
	return 0;
}

static size_t count_channels(const struct session *session)
{
	size_t count = 0;

	for (const struct channel *channel = session->channels; channel; channel = channel->next)
		count++;
	return count;
}

static int wait_ms(const struct session *session, int64_t idle_since_ms)
{
	int64_t end = idle_since_ms + SESSION_IDLE_MS;

	for (const struct channel *channel = session->channels; channel; channel = channel->next)
		if (channel->drain && read_room(channel) > 0)
			return 0;
	if (session->deadline_ms && session->deadline_ms < end)
		end = session->deadline_ms;
	end -= clock_ms();
	return end < 0 ? 0 : (int)end;
}

/* Whether the client has taken all that was said, also of what the kernel keeps for it: a socket
 * that nobody owns any more is given up after a minute or two. */
static bool all_taken(const struct session *session)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof memory;

	if (out_length(session) > 0)
		return false;
	if (getsockopt(session->socket_fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0)
		return true;
	/* the one of TCP, the other of the socket to what speaks TLS */
	return memory[SK_MEMINFO_WMEM_QUEUED] == 0 && memory[SK_MEMINFO_WMEM_ALLOC] == 0;
}

/* Wait once, and do what is to be done. */
static int turn(struct session *session, int64_t *idle_since_ms, struct error *err)
{
	size_t count = FIXED_POLLS + POLLS_OF_CHANNEL * count_channels(session);
	cleanup_free struct pollfd *polls = xcalloc(count, sizeof *polls);

	fill_polls(session, polls);
	int ready = poll(polls, count, wait_ms(session, *idle_since_ms));
	if (ready < 0 && errno != EINTR)
		return error_os(err, "poll");
	if (ready > 0)
		*idle_since_ms = clock_ms();
	else if (ready == 0 && clock_ms() - *idle_since_ms >= SESSION_IDLE_MS)
		return error_set(err, ERROR_TEMPORARY, "the connection was idle for 4 hours");
	if (ready >= 0 && serve_polls(session, polls, err) < 0)
		return -1;
	if (session->ending && !all_taken(session))
		session->deadline_ms = clock_ms() + SESSION_LEAVE_MS;
	else if (session->ending && session->deadline_ms <= clock_ms())
		session->over = true;
	return 0;
}

void session_leave(struct session *session)
{
	if (session->ending)
		return;
	session->carrier->leave(session);
	session->ending = true;
	session->deadline_ms = clock_ms() + SESSION_LEAVE_MS;
}

int session_run(struct session *session, struct error *err)
{
	int64_t idle_since_ms = clock_ms();

	while (!session->over) {
		for (struct channel *channel = session->channels; channel; channel = channel->next)
			settle(channel);
		if (!session->ending && session->service->step(session, err) < 0)
			return -1;
		if (flush(session, err) < 0)
			return -1;
		if (session->carrier->left(session) && out_length(session) == 0)
			return 0;
		if (turn(session, &idle_since_ms, err) < 0)
			return -1;
	}
	return 0;
}

void session_free(struct session *session)
{
	struct channel *next;

	for (struct channel *channel = session->channels; channel; channel = next) {
		next = channel->next;
		channel->carried = NULL;
		session_remove(channel);
	}
	if (session->service)
		session->service->free(session);
	if (session->carrier)
		session->carrier->free(session);
}
