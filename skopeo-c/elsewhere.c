/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/elsewhere.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "skopeo-c/http.h"
#include "skopeo-c/manifest.h"

#include <stdlib.h>

enum { URLS_MAX = 8, RETRIES = 3 };

/* The URL of that number, from 1, of those that can be asked; NULL where there is none. The caller
 * frees it. */
static char *find_url(const struct blob *blob, size_t number)
{
	const json_t *item;
	size_t i;

	json_array_foreach (blob->urls, i, item) {
		const char *text = json_string_value(item);
		cleanup_free char *url = text && i < URLS_MAX ? http_resolve(text, text) : NULL;

		if (url && --number == 0)
			return steal_ptr(&url);
	}
	return NULL;
}

bool elsewhere_next(struct elsewhere *elsewhere, const struct blob *blob)
{
	cleanup_free char *url = find_url(blob, elsewhere->number + 1);

	if (!url)
		return false;
	elsewhere->number++;
	return true;
}

void elsewhere_ask(struct elsewhere *elsewhere, const struct blob *blob, struct http *http,
		   const struct registry *lender, struct registry_call *call)
{
	const struct registry usual = { .http = http,
					.retries = RETRIES,
					.tls_elsewhere = { .verify = true } };
	char *url = find_url(blob, elsewhere->number);

	if (!lender)
		lender = &usual;
	web_server_open(&elsewhere->server, url, "blobs", lender, &lender->tls_elsewhere);
	registry_call_init(call, &elsewhere->server.registry, "GET", url);
}

void elsewhere_close(struct elsewhere *elsewhere)
{
	web_server_close(&elsewhere->server);
}
