/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/relay.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "ocid-shim/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* bytes that a pipe takes without waiting once poll() says that it takes any */
	WRITE_MAX = 4096,
	SIZE_LINE_MAX = 256,
	LAST_WORDS_MS = 1000 /* for what a process left in its terminal that others write to */
};

enum {
	POLL_OUTPUT,
	POLL_INPUT,
	POLL_STDIN,
	POLL_STDOUT,
	POLL_STDERR,
	POLL_SIZE,
	POLL_WINDOW,
	POLL_END,
	POLLS
};

/* Bytes on their way. */
struct transit {
	char bytes[1 + MONITOR_PACKET_MAX];
	size_t start, end;
};

struct state {
	struct relay *relay;
	struct transit in, out;
	int out_fd; /* where `out` goes: standard output or error */
	bool stdin_open, output_open, end_passed;
	int write_error;	  /* errno; 0: none, or nobody reads */
	long long out_since;	  /* clock_ms() when `out` was filled */
	long long ended_at;	  /* clock_ms(); 0: not yet */
	int window_fd;		  /* tells of SIGWINCH */
	char line[SIZE_LINE_MAX]; /* the start of a line of resize_fd */
	size_t line_length;
};

static bool is_empty(const struct transit *transit)
{
	return transit->start == transit->end;
}

/* Give the terminal a size. */
static void resize(const struct relay *relay, const struct monitor_size *size)
{
	const struct winsize window = { .ws_row = size->rows, .ws_col = size->columns };
	char message[1 + sizeof *size] = { MONITOR_RESIZE };

	if (!relay->packets) {
		ioctl(relay->output_fd, TIOCSWINSZ, &window);
		return;
	}
	memcpy(message + 1, size, sizeof *size);
	send(relay->output_fd, message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- to the container ---- */

static void end_input(struct state *state)
{
	struct relay *relay = state->relay;
	const char byte = MONITOR_INPUT_END;

	if (relay->packets && relay->input_fd >= 0)
		close(relay->input_fd);
	relay->input_fd = -1;
	state->stdin_open = false;
	state->in.start = state->in.end = 0;
	if (relay->packets)
		send(relay->output_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void read_stdin(struct state *state)
{
	ssize_t got = read(STDIN_FILENO, state->in.bytes, sizeof state->in.bytes);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	state->in.start = 0;
	state->in.end = got > 0 ? (size_t)got : 0;
	if (got <= 0)
		state->stdin_open = false;
}

static void write_input(struct state *state)
{
	struct transit *in = &state->in;
	ssize_t put = write(state->relay->input_fd, in->bytes + in->start, in->end - in->start);

	if (put >= 0)
		in->start += (size_t)put;
	else if (errno != EAGAIN && errno != EINTR)
		end_input(state); /* nothing reads it any more */
}

/* Standard input has ended, and all that came is passed on. */
static void pass_end(struct state *state)
{
	const struct relay *relay = state->relay;

	if (!relay->packets && !state->end_passed) {
		state->in.start = 0;
		state->in.end = terminal_end_of_input(relay->input_fd, state->in.bytes);
		state->end_passed = true;
	}
	if (is_empty(&state->in))
		end_input(state);
}

/* ---- from the container ---- */

static void keep_packet(struct state *state, size_t length)
{
	char kind = state->out.bytes[0];

	if (kind == MONITOR_INPUT_END)
		end_input(state);
	if (kind != 1 && kind != 2)
		return;
	state->out_fd = kind == 2 ? STDERR_FILENO : STDOUT_FILENO;
	state->out.start = 1;
	state->out.end = length;
}

/* A terminal ends with EIO. */
static void read_output(struct state *state)
{
	struct transit *out = &state->out;
	ssize_t got = read(state->relay->output_fd, out->bytes, sizeof out->bytes);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	out->start = out->end = 0;
	state->out_since = clock_ms();
	if (got <= 0)
		state->output_open = false;
	else if (state->relay->packets)
		keep_packet(state, (size_t)got);
	else
		out->end = (size_t)got;
}

/* False when nobody reads it, or it cannot be written. */
static bool write_output(struct state *state)
{
	struct transit *out = &state->out;
	size_t length = out->end - out->start;
	ssize_t put = write(state->out_fd, out->bytes + out->start,
			    length < WRITE_MAX ? length : WRITE_MAX);

	if (put < 0 && errno != EINTR && errno != EAGAIN) {
		state->write_error = errno == EPIPE || errno == ECONNRESET ? 0 : errno;
		return false;
	}
	if (put > 0)
		out->start += (size_t)put;
	/* the time that our reader took does not count for the last words */
	if (state->ended_at && is_empty(out))
		state->ended_at +=
			clock_ms() -
			(state->out_since > state->ended_at ? state->out_since : state->ended_at);
	return true;
}

/* ---- sizes ---- */

static void read_sizes(struct state *state)
{
	struct relay *relay = state->relay;
	struct monitor_size size;
	ssize_t got = read(relay->resize_fd, state->line + state->line_length,
			   sizeof state->line - state->line_length);
	char *newline;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		relay->resize_fd = -1;
		return;
	}
	state->line_length += (size_t)got;
	while ((newline = memchr(state->line, '\n', state->line_length))) {
		size_t length = (size_t)(newline - state->line);

		if (terminal_parse_size(state->line, length, &size))
			resize(relay, &size);
		state->line_length -= length + 1;
		memmove(state->line, newline + 1, state->line_length);
	}
	if (state->line_length == sizeof state->line) /* no such line is that long */
		state->line_length = 0;
}

static void follow_window(struct state *state)
{
	struct signalfd_siginfo info;
	struct monitor_size size;

	if (read(state->window_fd, &info, sizeof info) > 0 && terminal_size(&size))
		resize(state->relay, &size);
}

/* ---- the loop ---- */

/* What is waited for now. A descriptor without events still tells of its end. */
static void prepare(const struct state *state, struct pollfd polls[static POLLS])
{
	const struct relay *relay = state->relay;
	bool out_empty = is_empty(&state->out), in_empty = is_empty(&state->in);

	polls[POLL_OUTPUT] =
		(struct pollfd){ .fd = out_empty && state->output_open ? relay->output_fd : -1,
				 .events = POLLIN };
	polls[POLL_INPUT] =
		(struct pollfd){ .fd = relay->packets || !in_empty ? relay->input_fd : -1,
				 .events = in_empty ? 0 : POLLOUT };
	polls[POLL_STDIN] = (struct pollfd){
		.fd = in_empty && state->stdin_open && relay->input_fd >= 0 ? STDIN_FILENO : -1,
		.events = POLLIN
	};
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		bool next = !out_empty && fd == state->out_fd;

		polls[POLL_STDOUT + fd - STDOUT_FILENO] =
			(struct pollfd){ .fd = next || fd == STDOUT_FILENO ? fd : -1,
					 .events = next ? POLLOUT : 0 };
	}
	polls[POLL_SIZE] = (struct pollfd){ .fd = relay->resize_fd, .events = POLLIN };
	polls[POLL_WINDOW] = (struct pollfd){ .fd = state->window_fd, .events = POLLIN };
	polls[POLL_END] =
		(struct pollfd){ .fd = state->ended_at ? -1 : relay->end_fd, .events = POLLIN };
}

/* Deal with what has happened. False when nothing more can be written. */
static bool step(struct state *state, const struct pollfd polls[static POLLS])
{
	if (polls[POLL_SIZE].revents)
		read_sizes(state);
	if (polls[POLL_WINDOW].revents)
		follow_window(state);
	if (polls[POLL_OUTPUT].revents)
		read_output(state);
	if (polls[POLL_STDIN].revents)
		read_stdin(state);
	if (polls[POLL_INPUT].revents & POLLOUT)
		write_input(state);
	else if (polls[POLL_INPUT].revents)
		end_input(state);
	if (is_empty(&state->in) && !state->stdin_open && state->relay->input_fd >= 0)
		pass_end(state);
	if (polls[POLL_END].revents)
		state->ended_at = clock_ms();
	for (int i = POLL_STDOUT; i <= POLL_STDERR; i++) {
		if (polls[i].revents & POLLOUT && !is_empty(&state->out) && !write_output(state))
			return false;
		/* a pipe has an error then, a socket a hangup */
		if (polls[i].revents & ~POLLOUT)
			return false;
	}
	return true;
}

/* Whether there is nothing more to be read: a terminal may be held by others for ever. */
static bool is_done(const struct state *state)
{
	/* poll() also brings up what is still on its way through the terminal */
	struct pollfd output = { .fd = state->relay->output_fd, .events = POLLIN };

	if (!is_empty(&state->out))
		return false;
	if (!state->output_open)
		return state->ended_at || state->relay->end_fd < 0;
	return state->ended_at &&
	       (poll(&output, 1, 0) == 0 || clock_ms() > state->ended_at + LAST_WORDS_MS);
}

static int run(struct state *state, struct error *err)
{
	struct pollfd polls[POLLS];

	while (!is_done(state)) {
		long long deadline = state->relay->deadline;
		long long left = deadline ? deadline - clock_ms() : -1;

		if (cli_interrupted())
			return RELAY_INTERRUPTED;
		if (deadline && left <= 0)
			return RELAY_TOO_LATE;
		prepare(state, polls);
		if (cli_poll(polls, POLLS, (int)left) < 0) {
			if (errno != EINTR)
				return error_os(err, "poll");
			continue;
		}
		if (step(state, polls))
			continue;
		errno = state->write_error;
		return errno ? error_os(err, "standard output") : RELAY_UNREAD;
	}
	return RELAY_ENDED;
}

int relay_run(struct relay *relay, struct error *err)
{
	static struct state state;
	struct monitor_size size;
	sigset_t window, before;

	sigemptyset(&window);
	sigaddset(&window, SIGWINCH);
	sigprocmask(SIG_BLOCK, &window, &before);
	cleanup_fd int window_fd = signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	state = (struct state){ .relay = relay,
				.stdin_open = true,
				.output_open = true,
				.out_fd = STDOUT_FILENO,
				.window_fd = terminal_size(&size) ? window_fd : -1 };
	if (state.window_fd >= 0)
		resize(relay, &size);
	int status = run(&state, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
