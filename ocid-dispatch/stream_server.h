/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streaming server: a TCP socket for exec, attach and port forwarding. Here connections are
 * only accepted; each is served by a process of its own (ocid-dispatch/stream_session.h), which
 * outlives the server.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { STREAM_CONNECTIONS_MAX = 1024, STREAM_PORT_MAX = 0xffff };

struct stream_settings {
	const char *address;		       /* a numeric one */
	int port;			       /* 0: any that is free */
	const char *tls_certificate, *tls_key; /* files; NULL: no TLS */
	const char *root, *runroot;
};

struct stream_server {
	struct watch watch;		 /* of the listening socket; fd -1: not open */
	struct stream_settings settings; /* whose strings are borrowed */
	char url[128];			 /* "http://127.0.0.1:10250" */
	int publication_fd;		 /* see stream_address.h */
	int loop_fd;
	bool paused;  /* until a process has ended */
	bool starved; /* until stream_server_retry(), for lack of descriptors or memory */
	pid_t *pids;  /* of the processes of this server's connections */
	size_t count;
	/* what those get back that the server has changed for itself */
	sigset_t signal_mask;
	struct rlimit open_files;
};

/* Whether they make sense, the files of TLS included: ERROR_USAGE. */
int stream_server_check(const struct stream_settings *settings, struct error *err);

/* Listen; ERROR_USAGE for an address that is none or half of TLS, ERROR_IN_USE for a port that is
 * taken. */
int stream_server_open(const struct stream_settings *settings, struct stream_server *server,
		       struct error *err);

/* Accept connections in that loop. */
int stream_server_start(struct stream_server *server, int loop_fd, struct error *err);

/* Try again what starved. */
void stream_server_retry(struct stream_server *server);

/* Accept no more. */
void stream_server_stop(struct stream_server *server);

/* After SIGCHLD. */
void stream_server_reap(struct stream_server *server);

void stream_server_close(struct stream_server *server);
