/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_server.h"

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "ocid-dispatch/stream_address.h"
#include "ocid-dispatch/stream_session.h"
#include "ocid-dispatch/stream_tokens.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* ---- listening ---- */

static int parse_address(const struct stream_settings *settings, union address *address,
			 socklen_t *length, struct error *err)
{
	in_port_t port = htons((uint16_t)settings->port);

	*address = (union address){ 0 };
	if (inet_pton(AF_INET, settings->address, &address->ipv4.sin_addr) == 1) {
		address->ipv4.sin_family = AF_INET;
		address->ipv4.sin_port = port;
		*length = sizeof address->ipv4;
		return 0;
	}
	if (inet_pton(AF_INET6, settings->address, &address->ipv6.sin6_addr) == 1) {
		address->ipv6.sin6_family = AF_INET6;
		address->ipv6.sin6_port = port;
		*length = sizeof address->ipv6;
		return 0;
	}
	return error_set(err, ERROR_USAGE, "the streaming address: \"%s\" is no IP address",
			 settings->address);
}

static int listen_at(const struct stream_settings *settings, struct error *err)
{
	union address address;
	socklen_t length = 0;
	const int on = 1;

	if (parse_address(settings, &address, &length, err) < 0)
		return -1;

	cleanup_fd int fd =
		socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_os(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &address.any, length) < 0 || listen(fd, SOMAXCONN) < 0) {
		bool taken = errno == EADDRINUSE;

		error_os(err, "cannot listen at %s, port %d", settings->address, settings->port);
		if (taken)
			err->kind = ERROR_IN_USE;
		return -1;
	}
	return steal_fd(&fd);
}

/* The URL that clients on this node reach the socket by. */
static int make_url(struct stream_server *server, struct error *err)
{
	union address address = { 0 };
	socklen_t length = sizeof address;
	const char *scheme = server->settings.tls_certificate ? "https" : "http";
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(server->watch.fd, &address.any, &length) < 0)
		return error_os(err, "getsockname");
	if (address.any.sa_family == AF_INET) {
		if (address.ipv4.sin_addr.s_addr == htonl(INADDR_ANY))
			address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		inet_ntop(AF_INET, &address.ipv4.sin_addr, text, sizeof text);
		snprintf(server->url, sizeof server->url, "%s://%s:%u", scheme, text,
			 (unsigned)ntohs(address.ipv4.sin_port));
	} else {
		if (IN6_IS_ADDR_UNSPECIFIED(&address.ipv6.sin6_addr))
			address.ipv6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
		inet_ntop(AF_INET6, &address.ipv6.sin6_addr, text, sizeof text);
		snprintf(server->url, sizeof server->url, "%s://[%s]:%u", scheme, text,
			 (unsigned)ntohs(address.ipv6.sin6_port));
	}
	return 0;
}

/* Who reads a FIFO may wait for ever. What is not there is told by who reads it. */
static int check_regular(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "%s is not a regular file", path);
	return 0;
}

/* That the certificate and the key are what is needed is seen now, not with the first client. */
static int check_tls(const struct stream_settings *settings, struct error *err)
{
	cleanup_free char *path = spawn_tool_path("ocid-dispatch-tls");
	const char *const argv[] = { path, settings->tls_certificate, settings->tls_key, NULL };
	const struct spawn spawn = { .argv = argv };
	cleanup_spawn_result struct spawn_result result = { 0 };

	if (!settings->tls_certificate && !settings->tls_key)
		return 0;
	if (!settings->tls_certificate || !settings->tls_key)
		return error_set(err, ERROR_USAGE,
				 "TLS for streaming wants a certificate and its key");
	if (check_regular(settings->tls_certificate, err) < 0 ||
	    check_regular(settings->tls_key, err) < 0)
		return -1;
	if (spawn_run(&spawn, &result, err) < 0)
		return -1;
	if (result.status != 0) {
		cleanup_free char *line = spawn_last_line(result.err);

		return error_set(err, ERROR_USAGE, "%s", line);
	}
	return 0;
}

int stream_server_check(const struct stream_settings *settings, struct error *err)
{
	union address address;
	socklen_t length;

	return parse_address(settings, &address, &length, err) < 0 ? -1 : check_tls(settings, err);
}

int stream_server_open(const struct stream_settings *settings, struct stream_server *server,
		       struct error *err)
{
	*server = (struct stream_server){ .watch = { .fd = -1 },
					  .settings = *settings,
					  .publication_fd = -1 };
	if (check_tls(settings, err) < 0 || (server->watch.fd = listen_at(settings, err)) < 0 ||
	    make_url(server, err) < 0 ||
	    stream_address_publish(settings->runroot, server->url, &server->publication_fd, err) <
		    0) {
		stream_server_close(server);
		return -1;
	}
	server->pids = xcalloc(STREAM_CONNECTIONS_MAX, sizeof *server->pids);
	stream_tokens_sweep(settings->runroot);
	return 0;
}

/* ---- connections ---- */

static void become_session(const struct stream_server *server, int client_fd)
	__attribute__((noreturn));

static void become_session(const struct stream_server *server, int client_fd)
{
	setpgid(0, 0);
	if (client_fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)client_fd - 1, 0);
	close_range((unsigned)client_fd + 1, UINT_MAX, 0);
	setrlimit(RLIMIT_NOFILE, &server->open_files);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &server->signal_mask, NULL);
	_exit(stream_session(&server->settings, client_fd));
}

static void watch(struct stream_server *server)
{
	if (server->watch.fd >= 0)
		loop_change(server->loop_fd, &server->watch,
			    server->paused || server->starved ? 0 : EPOLLIN);
}

static void serve_client(struct stream_server *server, int client_fd)
{
	const int on = 1;
	pid_t pid;

	setsockopt(client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(client_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	pid = fork();
	if (pid == 0)
		become_session(server, client_fd);
	if (pid < 0)
		log_message(LOG_LEVEL_ERROR, "a streaming connection is refused: fork: %m");
	else
		server->pids[server->count++] = pid;
	/* more have to wait, in the kernel's queue, which is bounded */
	if (server->count == STREAM_CONNECTIONS_MAX) {
		server->paused = true;
		watch(server);
	}
}

static void accept_ready(void *owner, uint32_t events)
{
	struct stream_server *server = owner;
	cleanup_fd int fd = accept4(server->watch.fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0) {
		serve_client(server, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		server->starved = true;
		watch(server);
	}
}

void stream_server_retry(struct stream_server *server)
{
	if (!server->starved)
		return;
	server->starved = false;
	watch(server);
}

int stream_server_start(struct stream_server *server, int loop_fd, struct error *err)
{
	server->loop_fd = loop_fd;
	server->watch.ready = accept_ready;
	server->watch.owner = server;
	return loop_add(loop_fd, &server->watch, err);
}

void stream_server_stop(struct stream_server *server)
{
	if (server->watch.fd < 0)
		return;
	loop_remove(server->loop_fd, &server->watch);
	close(server->watch.fd);
	server->watch.fd = -1;
}

void stream_server_reap(struct stream_server *server)
{
	for (size_t i = server->count; i-- > 0;)
		if (waitpid(server->pids[i], NULL, WNOHANG) != 0)
			server->pids[i] = server->pids[--server->count];
	if (server->paused && server->count < STREAM_CONNECTIONS_MAX) {
		server->paused = false;
		watch(server);
	}
}

void stream_server_close(struct stream_server *server)
{
	cleanup_fd_p(&server->watch.fd);
	cleanup_fd_p(&server->publication_fd);
	free(server->pids);
}
