/* SPDX-License-Identifier: Apache-2.0 */
/* What decides where credentials may go. */
#include "skopeo-c/curl.h"
#include "skopeo-c/http.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static void test_same(void)
{
	static const struct {
		const char *one, *other;
		bool host, origin;
	} cases[] = {
		{ "https://a.b/v2/x", "https://a.b/other?y#z", true, true },
		{ "https://a.b/", "https://A.B:443/", true, true },
		{ "http://a.b:5000/", "http://a.b:5000/x", true, true },
		{ "https://[::1]:5000/", "https://[::1]:5000/", true, true },
		{ "https://a.b/", "http://a.b/", true, false },
		{ "https://a.b:5000/", "http://a.b:5000/", true, false },
		{ "https://a.b/", "https://a.b:5000/", false, false },
		{ "https://a.b/", "https://b/", false, false },
		{ "https://a.b/", "https://a.b.c/", false, false },
		{ "https://a.b/", "https://a.b@c.d/", false, false },
		{ "https://a.b/", "a.b", false, false },
		{ "", "", false, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ok(http_same_host(cases[i].one, cases[i].other) == cases[i].host, "host: %s %s",
		   cases[i].one, cases[i].other);
		ok(http_same_origin(cases[i].one, cases[i].other) == cases[i].origin,
		   "origin: %s %s", cases[i].one, cases[i].other);
	}
}

static void test_resolve(void)
{
	static const struct {
		const char *reference, *url;
	} cases[] = {
		{ "/x?y", "https://a.b:5000/x?y" },
		{ "x", "https://a.b:5000/v2/x" },
		{ "", "https://a.b:5000/v2/" },
		{ "//c.d/x", "https://c.d/x" },
		{ "http://c.d/x#z", "http://c.d/x" },
		{ "https://user@c.d/x", NULL },
		{ "https://user:password@c.d/x", NULL },
		{ "file:///etc/passwd", NULL },
		{ "ftp://c.d/x", NULL },
		{ "https://c.d:x/", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_free char *url = http_resolve("https://a.b:5000/v2/", cases[i].reference);

		is(url, cases[i].url, "resolve: %s", cases[i].reference);
	}
	ok(!http_resolve("a.b", "/x"), "resolve: against what is no URL");
}

static void test_hosts(void)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{ "https://a.b/x", "a.b" },
		{ "https://a.b:443/x", "a.b" },
		{ "https://a.b:80/x", "a.b:80" },
		{ "https://user:password@a.b/x", "a.b" },
		{ "no?secret", "no" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_free char *host = http_host(cases[i].url);

		is(host, cases[i].host, "host: of %s", cases[i].url);
	}
}

int main(void)
{
	struct error err = { 0 };

	if (curl_load(&err) < 0) {
		printf("1..0 # skip %s\n", err.message);
		return 0;
	}
	test_same();
	test_resolve();
	test_hosts();
	return tap_done();
}
