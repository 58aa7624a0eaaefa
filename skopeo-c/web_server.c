/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/web_server.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

static char *host_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return xstrndup(host, strcspn(host, "/?#"));
}

void web_server_open(struct web_server *server, const char *url, const char *what,
		     const struct registry *lender, const struct http_tls *tls)
{
	static char nothing[] = "";

	server->host = host_of(url);
	server->registry = (struct registry){
		.http = lender->http,
		.name = server->host,
		.repository = (char *)what,
		.base = nothing,
		.tls = *tls,
		.tls_elsewhere = *tls,
		.retries = lender->retries,
		.retry_delay_ms = lender->retry_delay_ms,
		.retry_unreachable = lender->retry_unreachable,
	};
}

void web_server_close(struct web_server *server)
{
	free(server->host);
	*server = (struct web_server){ 0 };
}
