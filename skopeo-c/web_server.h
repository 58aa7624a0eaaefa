/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server that is no registry: called by its own name, and asked in the way of a registry that
 * lends it. Nothing is its own, so that nobody answers what it asks of us.
 */
#pragma once
#include "skopeo-c/registry.h"

struct web_server {
	struct registry registry; /* of which all but `host` is borrowed */
	char *host;
};

/* The server of the URL, which is http or https; `what` is read there. It is asked as `tls` says,
 * and must end before the lender. */
void web_server_open(struct web_server *server, const char *url, const char *what,
		     const struct registry *lender, const struct http_tls *tls);
void web_server_close(struct web_server *server);
#define cleanup_web_server __attribute__((cleanup(web_server_close)))
