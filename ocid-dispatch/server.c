/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/server.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/notify.h"
#include "ocid-dispatch/call.h"
#include "ocid-dispatch/check.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/http2.h"
#include "ocid-dispatch/listener.h"
#include "ocid-dispatch/loop.h"
#include "ocid-dispatch/stream_server.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 1024,
	CLOSED_MAX = 64,
	OPEN_FILES = CALLS_MAX + CONNECTIONS_MAX + 64, /* a pipe a call, and some */
	BODIES_MAX = 64 << 20,	 /* bytes of all requests that are being received */
	OUTPUT_CHUNK = 64 << 10, /* bytes made for a socket at a time */
	INPUT_CHUNK = 64 << 10,
	ACCEPT_RETRY_MS = 100,
	GREETING_MS = 30000, /* until a connection must have said that it speaks HTTP/2 */
	US_PER_S = 1000000,
	NS_PER_US = 1000,
	STOP_MS = 10000, /* for handlers that were told to end, after which we leave anyway */
};

struct connection {
	struct watch watch;
	struct server *server;
	struct connection *next;
	struct http2 *http2;
	struct buffer out;
	int64_t greet_until_ms;
	bool broken, wants_out;
};

struct server {
	const struct server_settings *settings;
	struct watch listening, signals;
	int loop_fd;
	struct calls calls;
	struct http2_limits limits;
	struct connection *connections;
	size_t connection_count, closed_count; /* that are there, and whose memory malloc keeps */
	bool accept_paused;	/* until ACCEPT_RETRY_MS later, for lack of descriptors or memory */
	int64_t drain_until_ms; /* 0: not stopping */
	bool stopped;		/* the handlers have been told to end */
};

/* ---- streams ---- */

static void on_opened(void *owner, struct http2_stream *stream)
{
	struct connection *connection = owner;

	call_opened(&connection->server->calls, stream);
}

static void on_request(void *owner, struct http2_stream *stream)
{
	(void)owner;
	call_request(stream);
}

static void on_closed(void *owner, struct http2_stream *stream)
{
	(void)owner;
	call_closed(stream);
}

static void on_drained(void *owner, struct http2_stream *stream)
{
	(void)owner;
	call_drained(stream);
}

static const struct http2_events stream_events = { on_opened, on_request, on_closed, on_drained };

/* ---- connections ---- */

/* Write what can be written now. */
static void flush(struct connection *connection)
{
	struct error err = { 0 };

	while (!connection->broken) {
		if (http2_output(connection->http2, &connection->out, OUTPUT_CHUNK, &err) < 0)
			connection->broken = true;
		size_t length = buffer_length(&connection->out);
		if (length == 0)
			break;
		ssize_t sent = send(connection->watch.fd, buffer_data(&connection->out), length,
				    MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent < 0 && errno != EINTR)
			connection->broken = true;
		if (sent > 0)
			buffer_consume(&connection->out, (size_t)sent);
	}
	bool wants_out = buffer_length(&connection->out) > 0;
	if (wants_out != connection->wants_out && !connection->broken)
		loop_change(connection->server->loop_fd, &connection->watch,
			    EPOLLIN | (wants_out ? (uint32_t)EPOLLOUT : 0));
	connection->wants_out = wants_out;
	if (!wants_out && http2_is_over(connection->http2))
		connection->broken = true;
}

static void connection_ready(void *owner, uint32_t events)
{
	struct connection *connection = owner;
	unsigned char data[INPUT_CHUNK];
	struct error err = { 0 };

	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	ssize_t got = recv(connection->watch.fd, data, sizeof data, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection->broken = true;
		return;
	}
	if (http2_receive(connection->http2, data, (size_t)got, &err) < 0) {
		log_message(LOG_LEVEL_WARN, "a connection is closed: %s", err.message);
		flush(connection); /* the GOAWAY that says why */
		connection->broken = true;
	}
}

static void open_connection(struct server *server, int fd)
{
	struct connection *connection = xcalloc(1, sizeof *connection);
	struct error err = { 0 };

	connection->watch = (struct watch){ fd, connection_ready, connection };
	connection->server = server;
	connection->greet_until_ms = clock_ms() + GREETING_MS;
	if (loop_add(server->loop_fd, &connection->watch, &err) < 0) {
		log_message(LOG_LEVEL_ERROR, "%s", err.message);
		close(fd);
		free(connection);
		return;
	}
	connection->http2 = http2_new(&stream_events, &server->limits, connection);
	connection->next = server->connections;
	server->connections = connection;
	server->connection_count++;
}

static void close_connection(struct connection *connection)
{
	struct server *server = connection->server;

	http2_free(connection->http2);
	loop_remove(server->loop_fd, &connection->watch);
	close(connection->watch.fd);
	buffer_free(&connection->out);
	free(connection);
	server->connection_count--;
	if (++server->closed_count < CLOSED_MAX)
		return;
	malloc_trim(0);
	server->closed_count = 0;
}

/* Drop those that should have said by now what they are. Returns when that is next, 0 for never. */
static int64_t expire_connections(struct server *server)
{
	int64_t now = clock_ms(), next = 0;

	for (struct connection *connection = server->connections; connection;
	     connection = connection->next) {
		if (http2_is_greeted(connection->http2))
			continue;
		if (connection->greet_until_ms <= now)
			connection->broken = true;
		else if (next == 0 || connection->greet_until_ms < next)
			next = connection->greet_until_ms;
	}
	return next;
}

/* Send what all connections have to send, and drop those that are done. */
static void flush_all(struct server *server)
{
	struct connection **link = &server->connections;

	while (*link) {
		struct connection *connection = *link;

		flush(connection);
		if (!connection->broken) {
			link = &connection->next;
			continue;
		}
		*link = connection->next;
		close_connection(connection);
	}
}

static void accept_ready(void *owner, uint32_t events)
{
	struct server *server = owner;
	int fd = accept4(server->listening.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0 && server->connection_count < CONNECTIONS_MAX) {
		open_connection(server, fd);
		return;
	}
	if (fd >= 0) {
		log_message(LOG_LEVEL_WARN, "more than %d connections: one is refused",
			    CONNECTIONS_MAX);
		close(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		server->accept_paused = true;
		loop_change(server->loop_fd, &server->listening, 0);
	}
}

/* ---- signals and the end ---- */

/* Tell systemd, where it has started us; it wants the time of RELOADING=1. */
static void tell(const char *state)
{
	struct timespec now;
	struct error ignored; /* who does not listen need not know */

	clock_gettime(CLOCK_MONOTONIC, &now);
	cleanup_free char *lines =
		xasprintf("%s\nMONOTONIC_USEC=%lld\n", state,
			  (long long)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US);
	notify_send(lines, &ignored);
}

static void begin_drain(struct server *server)
{
	if (server->drain_until_ms) { /* asked twice: now */
		server->drain_until_ms = clock_ms();
		return;
	}
	tell("STOPPING=1");
	server->drain_until_ms = clock_ms() + server->settings->drain_seconds * INT64_C(1000);
	loop_remove(server->loop_fd, &server->listening);
	listener_stop(server->settings->listener);
	calls_drain(&server->calls);
	stream_server_stop(server->settings->streams);
	for (struct connection *connection = server->connections; connection;
	     connection = connection->next)
		http2_go_away(connection->http2);
}

/* A configuration that is wrong changes nothing. Handlers that run keep what they began with. */
static void reload(const struct server_settings *settings)
{
	struct configuration fresh = { 0 };
	struct error err = { 0 };

	tell("RELOADING=1");
	if (configuration_load(settings->configuration_path, &fresh, &err) < 0 ||
	    check_configuration(&fresh, &err) < 0) {
		log_message(LOG_LEVEL_ERROR, "the configuration is not reloaded: %s", err.message);
		configuration_free(&fresh);
	} else {
		configuration_free(settings->configuration);
		*settings->configuration = fresh;
	}
	tell("READY=1");
}

static void signals_ready(void *owner, uint32_t events)
{
	struct server *server = owner;
	struct signalfd_siginfo info;

	(void)events;
	if (read(server->signals.fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGCHLD) {
		calls_reap(&server->calls);
		stream_server_reap(server->settings->streams);
	} else if (info.ssi_signo == SIGHUP) {
		reload(server->settings);
	} else {
		begin_drain(server);
	}
}

static int open_signals(struct server *server, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &server->calls.signal_mask) < 0)
		return error_os(err, "sigprocmask");
	sigdelset(&server->calls.signal_mask, SIGHUP); /* blocked since before, for us alone */
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_os(err, "signalfd") : fd;
}

/* True when the loop may end. Handlers that were told to end still answer, that they were. */
static bool is_finished(struct server *server)
{
	int64_t now = clock_ms();

	if (!server->drain_until_ms)
		return false;
	if (!server->stopped && now >= server->drain_until_ms) {
		server->stopped = true;
		calls_stop(&server->calls);
	}
	if (server->stopped && now >= server->drain_until_ms + STOP_MS)
		return true;
	return server->calls.running == 0 && (server->stopped || !server->connections);
}

/* Room for a pipe a call; handlers get the old limit back. */
static void raise_open_files(struct server *server)
{
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &server->calls.open_files) < 0)
		return;
	raised = server->calls.open_files;
	if (raised.rlim_cur >= OPEN_FILES)
		return;
	raised.rlim_cur = raised.rlim_max < OPEN_FILES ? raised.rlim_max : OPEN_FILES;
	setrlimit(RLIMIT_NOFILE, &raised);
}

/* A timeout of the loop (-1: none) that ends no later than that time (0: none). */
static int shorten_timeout(int timeout_ms, int64_t end)
{
	if (end == 0)
		return timeout_ms;

	int64_t left = end - clock_ms();
	left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
	return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

/* End what has taken too long. Returns how long the loop may wait until that is to be done again.
 */
static int expire(struct server *server)
{
	int64_t end = 0;
	int timeout_ms = shorten_timeout(calls_expire(&server->calls), expire_connections(server));

	if (server->accept_paused || server->settings->streams->starved)
		end = clock_ms() + ACCEPT_RETRY_MS;
	else if (server->drain_until_ms)
		end = server->drain_until_ms + (server->stopped ? STOP_MS : 0);
	return shorten_timeout(timeout_ms, end);
}

static int serve(struct server *server, struct error *err)
{
	for (;;) {
		int timeout_ms = expire(server);

		flush_all(server);
		if (is_finished(server))
			return 0;
		if (loop_step(server->loop_fd, timeout_ms, err) < 0)
			return -1;
		stream_server_retry(server->settings->streams);
		if (server->accept_paused && !server->drain_until_ms) {
			server->accept_paused = false;
			loop_change(server->loop_fd, &server->listening, EPOLLIN);
		}
	}
}

int server_run(const struct server_settings *settings, struct error *err)
{
	struct server server = {
		.settings = settings,
		.limits = { GRPC_PREFIX_SIZE + GRPC_MESSAGE_MAX, BODIES_MAX },
		.calls = { .root = settings->root,
			   .runroot = settings->runroot,
			   .configuration = settings->configuration,
			   .trace = settings->trace },
	};
	cleanup_fd int loop_fd = loop_open(err);
	cleanup_fd int signal_fd = loop_fd < 0 ? -1 : open_signals(&server, err);

	if (signal_fd < 0)
		return -1;
	raise_open_files(&server);
	server.loop_fd = server.calls.loop_fd = loop_fd;
	server.listening = (struct watch){ settings->listener->fd, accept_ready, &server };
	server.signals = (struct watch){ signal_fd, signals_ready, &server };
	if (loop_add(loop_fd, &server.listening, err) < 0 ||
	    loop_add(loop_fd, &server.signals, err) < 0)
		return -1;
	settings->streams->signal_mask = server.calls.signal_mask;
	settings->streams->open_files = server.calls.open_files;
	if (stream_server_start(settings->streams, loop_fd, err) < 0)
		return -1;
	/* what came while we were starting was only noted */
	if (cli_interrupt_take())
		begin_drain(&server);
	else
		tell("READY=1");
	return serve(&server, err);
}
