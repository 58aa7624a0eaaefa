/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/call.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ocid-dispatch/answer.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/loop.h"
#include "ocid-dispatch/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KILL_AFTER_MS = 5000,  /* from asking a handler to end to killing it */
	READ_SIZE = 64 << 10,  /* a pipe holds no more */
	QUEUE_MAX = 256 << 10, /* bytes that wait for the client while we read on */
	STATUS_DIGITS = 4,
};

struct call {
	struct watch watch; /* the pipe from the handler; fd -1 when it is closed */
	struct calls *calls;
	struct call *next, *previous;
	struct http2_stream *stream; /* NULL when it is over */
	struct rpc rpc;
	pid_t pid;	     /* of the handler, and of its process group; 0: none */
	int64_t deadline_ms; /* by clock_ms(); 0: none */
	int64_t kill_at_ms;  /* 0: not asked to end */
	int wait_status;     /* when it has been reaped */
	struct answer answer;
	bool answered, paused;
};

static const struct http2_field response_headers[] = {
	{ ":status", "200" },
	{ "content-type", "application/grpc" },
	{ "grpc-accept-encoding", "identity" },
};

enum { RESPONSE_HEADERS = sizeof response_headers / sizeof *response_headers };

/* ---- answering ---- */

/* End the stream with a status; the headers stand before it when nothing was sent yet. */
static void finish(struct call *call, enum grpc_status status, const char *text)
{
	cleanup_free char *message = grpc_encode_message(text);
	struct http2_field fields[RESPONSE_HEADERS + 2];
	char number[STATUS_DIGITS];
	size_t count = *message ? 2 : 1;

	if (!call->stream || call->answered)
		return;
	call->answered = true;
	snprintf(number, sizeof number, "%u", (unsigned)status & 0xffU);
	memcpy(fields, response_headers, sizeof response_headers);
	fields[RESPONSE_HEADERS] = (struct http2_field){ "grpc-status", number };
	fields[RESPONSE_HEADERS + 1] = (struct http2_field){ "grpc-message", message };
	if (call->stream->responded)
		http2_end(call->stream, &fields[RESPONSE_HEADERS], count);
	else
		http2_respond(call->stream, fields, RESPONSE_HEADERS + count, true);
}

static void finish_error(struct call *call, enum grpc_status status, const struct error *err)
{
	finish(call, status, err->message);
}

/* A request that is not gRPC is answered in plain HTTP. */
static void refuse(struct call *call, const char *http_status)
{
	const struct http2_field fields[] = { { ":status", http_status } };

	call->answered = true;
	http2_respond(call->stream, fields, 1, true);
}

/* ---- the handler process ---- */

static int send_message(const struct rpc_context *context, const struct buffer *message,
			struct error *err)
{
	return answer_message(context->send_fd, message, err);
}

static void answer_call(const struct call *call, const unsigned char *message, size_t length,
			int fd)
{
	const struct calls *calls = call->calls;
	const struct rpc_context context = { .api_version = call->rpc.api_version,
					     .root = calls->root,
					     .runroot = calls->runroot,
					     .configuration = calls->configuration,
					     .trace = calls->trace,
					     .send = send_message,
					     .send_fd = fd };
	struct error err = { 0 }, ignored;
	bool decoded;

	if (rpc_run(&call->rpc, &context, message, length, &decoded, &err) == 0) {
		answer_status(fd, GRPC_OK, "", &ignored);
		return;
	}
	rpc_add_hint(&err);
	log_message(LOG_LEVEL_INFO, "%s: %s", call->rpc.method->name, err.message);
	answer_status(fd, decoded ? grpc_status_of(err.kind) : GRPC_INTERNAL, err.message,
		      &ignored);
}

static void become_handler(const struct call *call, const unsigned char *message, size_t length,
			   int fd, pid_t server) __attribute__((noreturn));

static void become_handler(const struct call *call, const unsigned char *message, size_t length,
			   int fd, pid_t server)
{
	setpgid(0, 0);
	/* without a server nobody reads the answer: undo what is half done */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != server)
		_exit(EXIT_FAILURE);
	close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, UINT_MAX, 0);
	setrlimit(RLIMIT_NOFILE, &call->calls->open_files);
	sigprocmask(SIG_SETMASK, &call->calls->signal_mask, NULL);
	answer_call(call, message, length, fd);
	_exit(EXIT_SUCCESS);
}

static void handler_ready(void *owner, uint32_t events);

static int start_handler(struct call *call, const unsigned char *message, size_t length,
			 struct error *err)
{
	pid_t server = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	cleanup_fd int ours = ends[0];
	cleanup_fd int theirs = ends[1];

	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return error_os(err, "fcntl");
	call->pid = fork();
	if (call->pid < 0) {
		call->pid = 0;
		return error_os(err, "fork");
	}
	if (call->pid == 0)
		become_handler(call, message, length, theirs, server);
	/* also here, so that a kill of the group cannot come before the child's own call */
	setpgid(call->pid, call->pid);
	call->calls->running++;
	call->watch = (struct watch){ steal_fd(&ours), handler_ready, call };
	return loop_add(call->calls->loop_fd, &call->watch, err);
}

/* Ask the handler to end; calls_expire() makes it. */
static void stop_handler(struct call *call)
{
	if (call->pid == 0 || call->kill_at_ms)
		return;
	call->kill_at_ms = clock_ms() + KILL_AFTER_MS;
	kill(-call->pid, SIGTERM);
}

/* ---- what the handler says ---- */

static void close_pipe(struct call *call)
{
	if (call->watch.fd < 0)
		return;
	loop_remove(call->calls->loop_fd, &call->watch);
	close(call->watch.fd);
	call->watch.fd = -1;
}

static void pause_reading(struct call *call, bool pause)
{
	if (call->watch.fd < 0 || call->paused == pause)
		return;
	call->paused = pause;
	loop_change(call->calls->loop_fd, &call->watch, pause ? 0 : EPOLLIN);
}

static void relay(struct call *call, const struct buffer *messages)
{
	if (buffer_length(messages) == 0 || !call->stream || call->answered)
		return;
	if (!call->stream->responded)
		http2_respond(call->stream, response_headers, RESPONSE_HEADERS, false);
	http2_send(call->stream, buffer_data(messages), buffer_length(messages));
	pause_reading(call, http2_queued(call->stream) > QUEUE_MAX);
}

static void take_answer(struct call *call, const unsigned char *data, size_t length)
{
	cleanup_buffer struct buffer messages = { 0 };
	struct error err = { 0 };

	if (answer_take(&call->answer, data, length, &messages, &err) < 0) {
		finish_error(call, GRPC_INTERNAL, &err);
		stop_handler(call);
		return;
	}
	relay(call, &messages);
	if (call->answer.whole) {
		cleanup_free char *text = NULL;
		enum grpc_status status = answer_result(&call->answer, &text);

		finish(call, status, text);
	}
}

/* Read once. False when there is nothing more now, or ever: then the pipe is closed. */
static bool read_pipe(struct call *call)
{
	unsigned char data[READ_SIZE];
	ssize_t got = read(call->watch.fd, data, sizeof data);

	if (got > 0)
		take_answer(call, data, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_pipe(call);
	return got > 0;
}

static void free_call(struct call *call)
{
	if (call->previous)
		call->previous->next = call->next;
	else
		call->calls->first = call->next;
	if (call->next)
		call->next->previous = call->previous;
	close_pipe(call);
	answer_free(&call->answer);
	free(call);
}

/* The handler is gone and everything it said is read: a call without a status has failed. */
static void settle(struct call *call)
{
	char text[160];

	if (call->pid > 0 || call->watch.fd >= 0)
		return;
	if (call->stream && !call->answered) {
		if (WIFSIGNALED(call->wait_status))
			snprintf(text, sizeof text, "the handler of %s was ended by signal %d (%s)",
				 call->rpc.method->name, WTERMSIG(call->wait_status),
				 strsignal(WTERMSIG(call->wait_status)));
		else
			snprintf(text, sizeof text, "the handler of %s ended with status %d",
				 call->rpc.method->name, WEXITSTATUS(call->wait_status));
		log_message(LOG_LEVEL_ERROR, "%s", text);
		finish(call, GRPC_INTERNAL, text);
	}
	if (!call->stream)
		free_call(call);
}

static void handler_ready(void *owner, uint32_t events)
{
	struct call *call = owner;

	(void)events;
	read_pipe(call);
	settle(call);
}

/* ---- the events of a stream ---- */

void call_opened(struct calls *calls, struct http2_stream *stream)
{
	struct call *call = xcalloc(1, sizeof *call);
	int64_t timeout_ms = stream->grpc_timeout ? grpc_timeout_ms(stream->grpc_timeout) : -1;

	call->watch.fd = -1;
	call->calls = calls;
	call->stream = stream;
	call->next = calls->first;
	if (call->next)
		call->next->previous = call;
	calls->first = call;
	if (timeout_ms >= 0)
		call->deadline_ms = clock_ms() + timeout_ms;
	stream->user = call;
}

/* False when the request has been refused. */
static bool check_request(struct call *call)
{
	static const char type[] = "application/grpc";
	const struct http2_stream *stream = call->stream;
	char text[256];

	if (!stream->method || strcmp(stream->method, "POST") != 0) {
		refuse(call, "405");
		return false;
	}
	if (!stream->content_type || strncmp(stream->content_type, type, sizeof type - 1) != 0 ||
	    !strchr("+;", stream->content_type[sizeof type - 1])) {
		refuse(call, "415");
		return false;
	}
	if (stream->grpc_timeout && call->deadline_ms == 0) {
		finish(call, GRPC_INTERNAL, "malformed grpc-timeout");
		return false;
	}
	if (!stream->path || !rpc_find(stream->path, &call->rpc) || !rpc_is_answered(&call->rpc)) {
		snprintf(text, sizeof text, "unknown method %s", stream->path ? stream->path : "");
		finish(call, GRPC_UNIMPLEMENTED, text);
		return false;
	}
	return true;
}

static int serve_request(struct call *call, struct error *err)
{
	struct http2_stream *stream = call->stream;
	const unsigned char *message;
	size_t length;

	if (stream->too_long)
		return error_set(err, ERROR_LIMIT,
				 "the request, or all requests together, are too long");
	if (call->calls->draining && call->rpc.endless)
		return error_set(err, ERROR_TEMPORARY, "the server is ending");
	if (call->calls->running >= CALLS_MAX)
		return error_set(err, ERROR_LIMIT, "%d calls are being served", CALLS_MAX);
	if (grpc_only_message(buffer_data(&stream->body), buffer_length(&stream->body), &message,
			      &length, err) < 0) {
		if (err->kind == ERROR_INTEGRITY)
			err->kind = ERROR_USAGE;
		return -1;
	}
	return start_handler(call, message, length, err);
}

void call_request(struct http2_stream *stream)
{
	struct call *call = stream->user;
	struct error err = { 0 };

	if (call->answered)
		return;
	if (stream->too_many) {
		/* those that would say what it is may be among the rest */
		finish(call, GRPC_RESOURCE_EXHAUSTED, "the request has too many headers");
		return;
	}
	if (!check_request(call))
		return;
	if (serve_request(call, &err) < 0)
		finish_error(call, grpc_status_of(err.kind), &err);
	http2_drop_body(stream);
}

void call_drained(struct http2_stream *stream)
{
	pause_reading(stream->user, false);
}

void call_closed(struct http2_stream *stream)
{
	struct call *call = stream->user;

	if (!call)
		return;
	call->stream = NULL;
	pause_reading(call, false);
	if (!call->answer.whole)
		stop_handler(call);
	settle(call);
}

/* ---- all of them ---- */

static void reap(struct call *call)
{
	if (call->pid == 0 || waitpid(call->pid, &call->wait_status, WNOHANG) <= 0)
		return;
	call->pid = 0;
	call->calls->running--;
	/* what it said last may still be in the pipe; nobody else can write to that any more */
	while (call->watch.fd >= 0 && read_pipe(call))
		;
	close_pipe(call);
	settle(call);
}

void calls_reap(struct calls *calls)
{
	struct call *next;

	for (struct call *call = calls->first; call; call = next) {
		next = call->next;
		reap(call);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int calls_expire(struct calls *calls)
{
	int64_t now = clock_ms(), next = 0;

	for (struct call *call = calls->first; call; call = call->next) {
		if (call->deadline_ms && call->deadline_ms <= now) {
			call->deadline_ms = 0;
			finish(call, GRPC_DEADLINE_EXCEEDED, "the deadline has passed");
			if (!call->answer.whole)
				stop_handler(call);
		}
		if (call->kill_at_ms && call->kill_at_ms <= now && call->pid > 0) {
			call->kill_at_ms = now + KILL_AFTER_MS;
			log_message(LOG_LEVEL_WARN, "%s: its handler did not end and is killed",
				    call->rpc.method->name);
			kill(-call->pid, SIGKILL);
		}
		if (!call->answered)
			next = earlier(next, call->deadline_ms);
		if (call->pid > 0)
			next = earlier(next, call->kill_at_ms);
	}
	if (next == 0)
		return -1;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

void calls_drain(struct calls *calls)
{
	calls->draining = true;
	for (struct call *call = calls->first; call; call = call->next)
		if (call->rpc.endless)
			stop_handler(call);
}

void calls_stop(struct calls *calls)
{
	for (struct call *call = calls->first; call; call = call->next)
		stop_handler(call);
}
