/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocid-dispatch-tls CERTIFICATE KEY [CLIENT-FD PLAIN-FD]: speaks TLS with one client of the
 * streaming server and plain bytes with the worker that serves it, so that the key is in no process
 * that reads what clients say inside. Confined once the files are read. Without descriptors it only
 * checks the files. Started by ocid-dispatch for itself.
 */
#include "lib/cleanup.h"
#include "lib/error.h"
#include "ocid-dispatch/stream/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "ocid-dispatch-tls"

enum {
	CHUNK = 16 << 10,
	HANDSHAKE_MS = 30 * 1000,
	GONE_MS = 3 * 1000, /* for the worker to take what a client that is gone has said last */
};

/* Bytes on their way in one direction. */
struct flow {
	unsigned char data[CHUNK];
	size_t start, end;
	bool ended; /* nothing more comes */
};

struct relay {
	SSL *tls;
	int client_fd, plain_fd;
	struct flow in, out; /* from the client, and for it */
	short wanted;	     /* what TLS waits for at the client */
	bool gone;	     /* the client says no more */
};

/* ---- files ---- */

static int tls_error(struct error *err, const char *what)
{
	/* the first: those after it only say who else could not go on then */
	unsigned long first = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(first) ? strerror(ERR_GET_REASON(first))
						     : ERR_reason_error_string(first);

	return error_set(err, ERROR_USAGE, "%s: %s", what, reason ? reason : "cannot be used");
}

/* Kubernetes' clients offer this where they offer anything. */
static int choose_protocol(SSL *tls, const unsigned char **chosen, unsigned char *length,
			   const unsigned char *offered, unsigned offered_length, void *user)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)tls;
	(void)user;
	if (SSL_select_next_proto((unsigned char **)chosen, length, ours, sizeof ours - 1, offered,
				  offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *load(const char *certificate, const char *key, struct error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context) {
		tls_error(err, "TLS");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		tls_error(err, certificate);
	else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		tls_error(err, key);
	else
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* ---- bytes ---- */

static size_t held(const struct flow *flow)
{
	return flow->end - flow->start;
}

/* What TLS waits for after a call that did nothing; false when the connection is over. */
static bool wants(struct relay *relay, int result)
{
	switch (SSL_get_error(relay->tls, result)) {
	case SSL_ERROR_WANT_READ:
		relay->wanted |= POLLIN;
		return true;
	case SSL_ERROR_WANT_WRITE:
		relay->wanted |= POLLOUT;
		return true;
	default:
		return false;
	}
}

/* These four return true when bytes have moved, or an end was met. */

static bool read_client(struct relay *relay)
{
	struct flow *in = &relay->in;
	int got;

	if (in->ended || held(in) > 0)
		return false;
	got = SSL_read(relay->tls, in->data, sizeof in->data);
	in->start = 0;
	in->end = got > 0 ? (size_t)got : 0;
	if (got > 0 || wants(relay, got))
		return got > 0;
	in->ended = true;
	shutdown(relay->plain_fd, SHUT_WR);
	return true;
}

static bool write_client(struct relay *relay)
{
	struct flow *out = &relay->out;
	int put;

	if (held(out) == 0)
		return false;
	put = SSL_write(relay->tls, out->data + out->start, (int)held(out));
	if (put > 0)
		out->start += (size_t)put;
	else if (!wants(relay, put)) {
		out->start = out->end; /* nobody takes it */
		out->ended = true;
	}
	return put > 0 || out->ended;
}

static bool read_plain(struct relay *relay)
{
	struct flow *out = &relay->out;
	ssize_t got;

	if (out->ended || held(out) > 0)
		return false;
	got = read(relay->plain_fd, out->data, sizeof out->data);
	out->start = 0;
	out->end = got > 0 ? (size_t)got : 0;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	out->ended = got <= 0;
	return true;
}

static bool write_plain(struct relay *relay)
{
	struct flow *in = &relay->in;
	ssize_t put;

	if (held(in) == 0)
		return false;
	put = send(relay->plain_fd, in->data + in->start, held(in), MSG_NOSIGNAL);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (put > 0)
		in->start += (size_t)put;
	else
		in->start = in->end; /* nobody takes it */
	return true;
}

/* False on failure, when nothing has happened in timeout_ms (-1: never), and when the connection is
 * no more. That the client says no more is noticed also while nothing is wanted of it; but once,
 * as poll() would say it for ever. */
static bool await(struct relay *relay, short plain_events, int timeout_ms)
{
	struct pollfd polls[] = {
		{ relay->client_fd, (short)(relay->wanted | (relay->gone ? 0 : POLLRDHUP)), 0 },
		{ plain_events ? relay->plain_fd : -1, plain_events, 0 },
	};
	int ready;

	do
		ready = poll(polls, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (polls[0].revents & POLLRDHUP)
		relay->gone = true;
	return ready > 0 && !(polls[0].revents & (POLLERR | POLLHUP));
}

static bool shake_hands(struct relay *relay)
{
	int status;

	while ((status = SSL_accept(relay->tls)) != 1) {
		relay->wanted = 0;
		if (!wants(relay, status) || !await(relay, 0, HANDSHAKE_MS))
			return false;
	}
	return true;
}

/* Until the worker has said all. */
static void move(struct relay *relay)
{
	while (!relay->out.ended || held(&relay->out) > 0) {
		bool moved = false;
		short plain;

		relay->wanted = 0;
		moved |= read_client(relay);
		moved |= write_plain(relay);
		moved |= read_plain(relay);
		moved |= write_client(relay);
		if (moved)
			continue;
		plain = (short)((held(&relay->in) > 0 ? POLLOUT : 0) |
				(held(&relay->out) == 0 ? POLLIN : 0));
		if (!await(relay, plain, relay->gone && held(&relay->in) > 0 ? GONE_MS : -1))
			return;
	}
	SSL_shutdown(relay->tls);
}

static int serve(SSL_CTX *context, int client_fd, int plain_fd, struct error *err)
{
	struct relay relay = { .tls = SSL_new(context),
			       .client_fd = client_fd,
			       .plain_fd = plain_fd };

	if (!relay.tls || SSL_set_fd(relay.tls, client_fd) != 1)
		return tls_error(err, "TLS");
	if (fcntl(client_fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(plain_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_os(err, "fcntl");
	if (confine(err) < 0)
		return -1;
	if (shake_hands(&relay))
		move(&relay);
	SSL_free(relay.tls);
	return 0;
}

static int run(int argc, char **argv, struct error *err)
{
	if (argc != 3 && argc != 5)
		return error_set(err, ERROR_USAGE, "ocid-dispatch starts this for itself");

	SSL_CTX *context = load(argv[1], argv[2], err);
	if (!context)
		return -1;
	int status = argc == 3 ? 0
			       : serve(context, (int)strtol(argv[3], NULL, 10),
				       (int)strtol(argv[4], NULL, 10), err);
	SSL_CTX_free(context);
	return status;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	if (run(argc, argv, &err) == 0)
		return EXIT_SUCCESS;
	error_print(&err, NAME, NULL, false);
	return (int)err.kind;
}
