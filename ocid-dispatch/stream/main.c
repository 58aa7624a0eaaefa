/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocid-dispatch-stream CLIENT-FD CONTROL-FD: serves one client of the streaming server, confined;
 * started by ocid-dispatch for itself (ocid-dispatch/stream_control.h).
 */
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "ocid-dispatch/stream/carrier.h"
#include "ocid-dispatch/stream/confine.h"
#include "ocid-dispatch/stream/handshake.h"
#include "ocid-dispatch/stream/services.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NAME "ocid-dispatch-stream"

enum { CHUNK = 4096 };

/* Send a short text; a client that does not take it now does not get it. */
static void send_text(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
	shutdown(fd, SHUT_WR);
}

static int bad_head(int fd, const struct error *err)
{
	cleanup_free char *refusal =
		handshake_refusal(err->kind == ERROR_LIMIT ? "431 Request Header Fields Too Large"
							   : "400 Bad Request",
				  "", err->message);

	send_text(fd, refusal);
	return -1;
}

/* Read the request's head; `rest` gets what the client has sent after it. -1: it is answered. */
static int read_head(int fd, struct http1_request *request, struct buffer *rest, struct error *err)
{
	int64_t end = clock_ms() + SESSION_CREATION_MS;
	ssize_t head;

	while ((head = http1_parse(buffer_data(rest), buffer_length(rest), request, err)) == 0) {
		struct pollfd ready = { fd, POLLIN, 0 };
		int64_t left = end - clock_ms();
		char data[CHUNK];

		if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
			return error_set(err, ERROR_TEMPORARY, "no request came in time");
		ssize_t got = recv(fd, data, sizeof data, 0);
		if (got <= 0)
			return error_set(err, ERROR_TEMPORARY, "the client has gone");
		buffer_append(rest, data, (size_t)got);
	}
	if (head < 0)
		return bad_head(fd, err);
	buffer_consume(rest, (size_t)head);
	return 0;
}

/* Have the token looked up. -1: it is answered. */
static int take_token(struct session *session, const struct handshake *handshake, struct error *err)
{
	struct stream_request request = { .verb = STREAM_TAKE, .kind = handshake->kind };
	int fds[STREAM_FDS_MAX];
	size_t count;

	snprintf(request.token, sizeof request.token, "%s", handshake->token);
	if (stream_control_send(session->control_fd, &request, sizeof request, NULL, 0, err) < 0)
		return -1;
	if (stream_control_receive(session->control_fd, &session->asked, sizeof session->asked, fds,
				   &count, err) <= 0)
		return error_set(err, ERROR_FAILED, "the session's other process is gone");
	if (session->asked.failed) {
		cleanup_free char *refusal = handshake_refusal(
			session->asked.failed == ERROR_NOT_FOUND ? "404 Not Found"
								 : "500 Internal Server Error",
			"", session->asked.message);

		send_text(session->socket_fd, refusal);
		return error_set(err, session->asked.failed, "%s", session->asked.message);
	}
	return 0;
}

static int start_session(struct session *session, const struct handshake *handshake,
			 struct error *err)
{
	bool numbered =
		handshake->carrier == HANDSHAKE_BINARY || handshake->carrier == HANDSHAKE_BASE64;

	session->version = handshake->version;
	if (numbered ? carrier_websocket(session, handshake->carrier == HANDSHAKE_BASE64, err)
		     : carrier_spdy(session, handshake->carrier == HANDSHAKE_TUNNEL, err))
		return -1;
	if (handshake->kind == STREAM_PORT_FORWARD)
		port_forward(session, numbered);
	else
		remote_command(session, numbered);
	return 0;
}

static int serve(struct session *session, struct error *err)
{
	cleanup_http1 struct http1_request request = { 0 };
	cleanup_buffer struct buffer rest = { 0 };
	struct handshake handshake;
	cleanup_free char *refusal = NULL;

	if (read_head(session->socket_fd, &request, &rest, err) < 0)
		return -1;
	if (handshake_decide(&request, &handshake, &refusal) < 0) {
		send_text(session->socket_fd, refusal);
		return error_set(err, ERROR_USAGE, "a request that was refused");
	}
	cleanup_free char *response = handshake.response;
	if (take_token(session, &handshake, err) < 0)
		return -1;
	/* short, and the first that is sent: it fits */
	if (send(session->socket_fd, response, strlen(response), MSG_NOSIGNAL) < 0)
		return error_os(err, "the client");
	if (start_session(session, &handshake, err) < 0)
		return -1;
	if (buffer_length(&rest) > 0 &&
	    session->carrier->receive(session, buffer_data(&rest), buffer_length(&rest), err) < 0)
		return -1;
	return session_run(session, err);
}

static void report(const struct error *err)
{
	/* the client's fault, or what happens to clients */
	bool ordinary = err->kind == ERROR_USAGE || err->kind == ERROR_NOT_FOUND ||
			err->kind == ERROR_TEMPORARY || err->os;

	log_message(ordinary ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "a connection is closed: %s",
		    err->message);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };

	log_setup(NAME, LOG_LEVEL_WARN);
	if (argc != 3) {
		fputs("usage: " NAME " CLIENT-FD CONTROL-FD (ocid-dispatch starts it)\n", stderr);
		return ERROR_USAGE;
	}

	struct session session = { .socket_fd = (int)strtol(argv[1], NULL, 10),
				   .control_fd = (int)strtol(argv[2], NULL, 10) };
	signal(SIGPIPE, SIG_IGN);
	json_object_seed(0); /* later there is no file to seed from */
	if (confine(&err) < 0) {
		error_print(&err, NAME, NULL, false);
		return (int)err.kind;
	}
	int status = serve(&session, &err);
	session_free(&session);
	if (status < 0)
		report(&err);
	return status < 0 ? (int)err.kind : EXIT_SUCCESS;
}
