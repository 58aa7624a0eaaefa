/* SPDX-License-Identifier: Apache-2.0 */
/* The server: sockets and the loop around them. It moves bytes and owns nothing else. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct configuration;
struct listener;
struct stream_server;

struct server_settings {
	struct listener *listener; /* is stopped after SIGTERM */
	int drain_seconds;	   /* how long running calls may go on after SIGTERM */
	const char *root, *runroot;
	const char *configuration_path; /* read again on SIGHUP */
	struct configuration *configuration;
	bool trace;
	struct stream_server *streams;
};

/* SIGHUP must be blocked already, or one that has come too early is our end.
 * Serve until SIGTERM or SIGINT; then finish the running calls, and return 0. */
int server_run(const struct server_settings *settings, struct error *err);
