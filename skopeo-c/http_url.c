/* SPDX-License-Identifier: Apache-2.0 */
/* What http.h has for URLs, and for dates, which libcurl reads too. */
#include "lib/cleanup.h"
#include "skopeo-c/curl.h"
#include "skopeo-c/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void free_url(CURLU **url)
{
	curl.url_cleanup(*url);
}

#define cleanup_url __attribute__((cleanup(free_url)))

static CURLU *parse_url(const char *text)
{
	CURLU *url = curl.url();

	if (url && curl.url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
		return url;
	curl.url_cleanup(url);
	return NULL;
}

/* The part of a URL, or "" where it has none. The caller frees it. */
static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;

	if (curl.url_get(url, part, &text, flags) != CURLUE_OK)
		return xstrdup("");
	char *copy = xstrdup(text);
	curl.free(text);
	return copy;
}

char *http_resolve(const char *base, const char *reference)
{
	cleanup_url CURLU *url = parse_url(base);

	if (!url || curl.url_set(url, CURLUPART_URL, reference, 0) != CURLUE_OK)
		return NULL;
	cleanup_free char *scheme = url_part(url, CURLUPART_SCHEME, 0);
	cleanup_free char *user = url_part(url, CURLUPART_USER, 0);
	if ((strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) || user[0])
		return NULL;
	curl.url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	return url_part(url, CURLUPART_URL, 0);
}

static bool have_same(CURLU *one, CURLU *other, CURLUPart part)
{
	cleanup_free char *a = url_part(one, part, CURLU_NO_DEFAULT_PORT);
	cleanup_free char *b = url_part(other, part, CURLU_NO_DEFAULT_PORT);

	return strcasecmp(a, b) == 0;
}

bool http_same_host(const char *one, const char *other)
{
	cleanup_url CURLU *a = parse_url(one);
	cleanup_url CURLU *b = parse_url(other);

	return a && b && have_same(a, b, CURLUPART_HOST) && have_same(a, b, CURLUPART_PORT);
}

bool http_same_origin(const char *one, const char *other)
{
	cleanup_url CURLU *a = parse_url(one);
	cleanup_url CURLU *b = parse_url(other);

	return a && b && have_same(a, b, CURLUPART_SCHEME) && have_same(a, b, CURLUPART_HOST) &&
	       have_same(a, b, CURLUPART_PORT);
}

char *http_host(const char *text)
{
	cleanup_url CURLU *url = parse_url(text);

	if (!url) /* what follows the "?" can be a secret */
		return xstrndup(text, strcspn(text, "?"));
	cleanup_free char *host = url_part(url, CURLUPART_HOST, 0);
	cleanup_free char *port = url_part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
	return xasprintf("%s%s%s", host, port[0] ? ":" : "", port);
}

int64_t http_date(const char *text)
{
	return curl.getdate(text, NULL);
}

char *http_escape(const char *text)
{
	char *escaped = xcalloc(strlen(text) * 3 + 1, 1);
	size_t at = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c))
			escaped[at++] = (char)c;
		else
			at += (size_t)snprintf(escaped + at, 4, "%%%02X", c);
	}
	return escaped;
}

/* ---- no_proxy ---- */

/* Whether a host is in a domain, or below it; ".DOMAIN": below it only. */
static bool is_within(const char *host, const char *domain)
{
	size_t length = strlen(domain), host_length = strlen(host);
	const char *end = host_length >= length ? host + host_length - length : NULL;

	if (length == 0 || !end || strcasecmp(end, domain) != 0)
		return false;
	return domain[0] == '.' ? end > host : end == host || end[-1] == '.';
}

/* Whether an entry that libcurl does not understand is for a host. */
static bool spares(const char *entry, const char *host, const char *port)
{
	const char *colon = strrchr(entry, ':');
	cleanup_free char *name = xstrndup(entry, colon ? (size_t)(colon - entry) : strlen(entry));
	bool has_star = strncmp(name, "*.", 2) == 0;

	return (colon ? strcmp(colon + 1, port) == 0 : has_star) &&
	       is_within(host, name + has_star);
}

bool http_spares_proxy(const char *address)
{
	static const char separators[] = ", ";
	const char *list = getenv("no_proxy");
	cleanup_url CURLU *url = parse_url(address);

	list = list ? list : getenv("NO_PROXY");
	if (!url || !list)
		return false;
	cleanup_free char *host = url_part(url, CURLUPART_HOST, 0);
	cleanup_free char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	while (*(list += strspn(list, separators))) {
		size_t length = strcspn(list, separators);
		cleanup_free char *entry = xstrndup(list, length);

		if (spares(entry, host, port))
			return true;
		list += length;
	}
	return false;
}
