/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_session.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "ocid-dispatch/stream_command.h"
#include "ocid-dispatch/stream_control.h"
#include "ocid-dispatch/stream_ports.h"
#include "ocid-dispatch/stream_server.h"
#include "ocid-dispatch/stream_tokens.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the rest to reach the client: whoever came with a token may be slow, as with the worker. */
enum { TLS_END_MS = 10 * 1000, TLS_SLOW_MS = 4 * 60 * 60 * 1000 };

struct session {
	const struct stream_settings *settings;
	int control_fd;
	pid_t worker_pid, tls_pid; /* 0: none */
	bool taken, started;
	enum stream_kind kind;
	json_t *request; /* when the token has been taken */
	struct stream_command command;
	struct stream_ports ports;
};

/* ---- the processes of the connection ---- */

/* Start a program of ours that has two of our descriptors, named in its last arguments. */
static pid_t start_worker(struct strings *words, int first_fd, int second_fd, struct error *err)
{
	cleanup_free char *path = spawn_tool_path(words->items[0]);
	cleanup_free const char **argv = xcalloc(words->count + 3, sizeof *argv);
	cleanup_free char *first = xasprintf("%d", first_fd);
	cleanup_free char *second = xasprintf("%d", second_fd);
	const int pass[] = { first_fd, second_fd, -1 };

	for (size_t i = 1; i < words->count; i++)
		argv[i] = words->items[i];
	argv[0] = path;
	argv[words->count] = first;
	argv[words->count + 1] = second;

	const struct spawn spawn = { .argv = argv, .pass_fds = pass, .death_signal = SIGKILL };
	return spawn_start(&spawn, err);
}

static int socket_pair(int type, int ends[2], struct error *err)
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0 ? error_os(err, "socketpair")
								     : 0;
}

/* Put what speaks TLS between the client and the worker; *client_fd becomes the worker's side. */
static pid_t start_tls(const struct stream_settings *settings, int *client_fd, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	int ends[2];

	if (socket_pair(SOCK_STREAM, ends, err) < 0)
		return -1;
	cleanup_fd int ours = ends[0];
	cleanup_fd int theirs = ends[1];

	strings_add(&words, "ocid-dispatch-tls");
	strings_add(&words, settings->tls_certificate);
	strings_add(&words, settings->tls_key);
	pid_t pid = start_worker(&words, *client_fd, theirs, err);
	if (pid < 0)
		return -1;
	close(*client_fd);
	*client_fd = steal_fd(&ours);
	return pid;
}

static pid_t start_stream(int client_fd, int *control_fd, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	int ends[2];

	if (socket_pair(SOCK_SEQPACKET, ends, err) < 0)
		return -1;
	cleanup_fd int ours = ends[0];
	cleanup_fd int theirs = ends[1];

	strings_add(&words, "ocid-dispatch-stream");
	pid_t pid = start_worker(&words, client_fd, theirs, err);
	if (pid > 0)
		*control_fd = steal_fd(&ours);
	return pid;
}

/* ---- what the worker asks for ---- */

static void set_failure(struct stream_reply *reply, const struct error *err)
{
	reply->failed = err->kind;
	snprintf(reply->message, sizeof reply->message, "%s", err->message);
}

static void describe(const json_t *request, struct stream_reply *reply)
{
	size_t i;
	json_t *port;

	reply->has_stdin = json_flag(request, "stdin");
	reply->has_stdout = json_flag(request, "stdout");
	reply->tty = json_flag(request, "tty");
	reply->has_stderr = json_flag(request, "stderr") && !reply->tty;
	json_array_foreach (json_object_get(request, "port"), i, port)
		if (i < STREAM_PORTS_MAX) /* more are refused by the RPC */
			reply->ports[reply->port_count++] = (uint16_t)json_integer_value(port);
}

static int take(struct session *session, const struct stream_request *asked,
		struct stream_reply *reply, struct error *err)
{
	if (session->taken || asked->kind > STREAM_PORT_FORWARD)
		return error_set(err, ERROR_FAILED, "the worker asks for a second token");
	session->taken = true;
	session->kind = asked->kind;
	session->request =
		stream_token_take(session->settings->runroot, asked->kind, asked->token, err);
	if (!session->request)
		return -1;
	describe(session->request, reply);
	if (asked->kind == STREAM_PORT_FORWARD)
		return stream_ports_open(&session->ports, session->request, err);
	return 0;
}

static int start(struct session *session, int *fds, size_t *count, struct error *err)
{
	if (!session->request || session->started || session->kind == STREAM_PORT_FORWARD)
		return error_set(err, ERROR_FAILED, "the worker asks for a command out of turn");
	session->started = true;
	return stream_command_start(&session->command, session->settings, session->kind,
				    session->request, fds, count, err);
}

static int connect_port(struct session *session, const struct stream_request *asked, int *fds,
			size_t *count, struct error *err)
{
	if (!session->request || session->kind != STREAM_PORT_FORWARD)
		return error_set(err, ERROR_FAILED, "the worker asks for a port out of turn");
	fds[0] = stream_ports_connect(&session->ports, asked->port, asked->ipv6, err);
	*count = fds[0] < 0 ? 0 : 1;
	return fds[0] < 0 ? -1 : 0;
}

/* Answer one request. False when the worker is gone. */
static bool serve_request(struct session *session)
{
	struct stream_request asked;
	struct stream_reply reply = { 0 };
	int fds[STREAM_FDS_MAX], done;
	size_t count = 0;
	struct error err = { 0 };

	if (stream_control_receive(session->control_fd, &asked, sizeof asked, fds, &count, &err) <=
	    0)
		return false;
	while (count > 0) /* none is expected */
		close(fds[--count]);
	asked.token[sizeof asked.token - 1] = '\0';
	reply.verb = asked.verb;
	reply.number = asked.number;
	switch (asked.verb) {
	case STREAM_TAKE:
		done = take(session, &asked, &reply, &err);
		break;
	case STREAM_START:
		done = start(session, fds, &count, &err);
		break;
	case STREAM_CONNECT:
		done = connect_port(session, &asked, fds, &count, &err);
		break;
	default:
		return false;
	}
	if (done < 0)
		set_failure(&reply, &err);
	done = stream_control_send(session->control_fd, &reply, sizeof reply, fds, count, &err);
	while (count > 0)
		close(fds[--count]);
	return done == 0;
}

static bool report_end(struct session *session)
{
	struct stream_reply reply = { .verb = STREAM_EXITED };
	struct error ignored;

	reply.status = stream_command_reap(&session->command);
	/* how a container ended is for the pod's status to say, not for those who watched it */
	if (session->kind == STREAM_ATTACH)
		reply.status = 0;
	return stream_control_send(session->control_fd, &reply, sizeof reply, NULL, 0, &ignored) ==
	       0;
}

static void serve(struct session *session)
{
	bool goes_on = true;

	while (goes_on) {
		struct pollfd polls[] = {
			{ session->control_fd, POLLIN, 0 },
			{ session->command.pid > 0 ? session->command.pid_fd : -1, POLLIN, 0 },
		};

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return;
		if (polls[1].revents)
			goes_on = report_end(session);
		if (goes_on && polls[0].revents)
			goes_on = serve_request(session);
	}
}

/* The worker ends when nobody answers it, if it has not ended before. */
static void await_worker(struct session *session)
{
	int status = 0;

	close(session->control_fd);
	while (waitpid(session->worker_pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		log_message(LOG_LEVEL_ERROR,
			    "streaming: what served a connection was ended by signal %d",
			    WTERMSIG(status));
}

/* The client still gets what the worker has said last. */
static void await_tls(pid_t pid, int timeout_ms)
{
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { pid_fd, POLLIN, 0 };

	if (pid_fd < 0 || poll(&ended, 1, timeout_ms) <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int stream_session(const struct stream_settings *settings, int client_fd)
{
	struct session session = { .settings = settings,
				   .control_fd = -1,
				   .ports = { .netns_fd = -1 } };
	struct error err = { 0 };

	if (settings->tls_certificate)
		session.tls_pid = start_tls(settings, &client_fd, &err);
	if (session.tls_pid >= 0)
		session.worker_pid = start_stream(client_fd, &session.control_fd, &err);
	if (session.tls_pid < 0 || session.worker_pid < 0) {
		log_message(LOG_LEVEL_ERROR, "streaming: %s", err.message);
		return (int)err.kind;
	}
	/* the client is gone when the worker is */
	close(client_fd);
	serve(&session);
	await_worker(&session);
	stream_command_end(&session.command);
	stream_ports_close(&session.ports);
	if (session.tls_pid > 0)
		await_tls(session.tls_pid, session.request ? TLS_SLOW_MS : TLS_END_MS);
	json_decref(session.request);
	return EXIT_SUCCESS;
}
