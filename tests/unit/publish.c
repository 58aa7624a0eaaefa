/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/publish.h"

#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *text, *mapping; /* mapping NULL: refused */
} cases[] = {
	{ "8080:80", "{\"containerPort\":80,\"hostPort\":8080,\"protocol\":\"tcp\"}" },
	{ "1:65535/udp", "{\"containerPort\":65535,\"hostPort\":1,\"protocol\":\"udp\"}" },
	{ "9:9/sctp", "{\"containerPort\":9,\"hostPort\":9,\"protocol\":\"sctp\"}" },
	{ "127.0.0.1:53:5353/udp", "{\"containerPort\":5353,\"hostIP\":\"127.0.0.1\",\"hostPort\":"
				   "53,\"protocol\":\"udp\"}" },
	{ "[::1]:80:80",
	  "{\"containerPort\":80,\"hostIP\":\"::1\",\"hostPort\":80,\"protocol\":\"tcp\"}" },
	{ "[0:0::0:1]:80:80",
	  "{\"containerPort\":80,\"hostIP\":\"::1\",\"hostPort\":80,\"protocol\":\"tcp\"}" },
	{ "", NULL },
	{ ":", NULL },
	{ "::", NULL },
	{ "80", NULL },
	{ "80:", NULL },
	{ ":80", NULL },
	{ ":80:80", NULL },
	{ "0:80", NULL },
	{ "80:0", NULL },
	{ "65536:1", NULL },
	{ "99999999999999999999:1", NULL },
	{ "-1:80", NULL },
	{ "+1:80", NULL },
	{ "80: 80", NULL },
	{ "80:80/", NULL },
	{ "80:80/TCP", NULL },
	{ "80:80/tcp/udp", NULL },
	{ "localhost:80:80", NULL },
	{ "1.2.3:80:80", NULL },
	{ "1.2.3.256:80:80", NULL },
	{ "::1:80:80", NULL },
	{ "[::1:80:80", NULL },
	{ "[127.0.0.1]:80:80", NULL },
	{ "[]:80:80", NULL },
	{ "80/tcp:80", NULL },
};

static void test_one(const char *text, const char *expected)
{
	json_auto_t *mappings = json_array();
	struct error err = { 0 };

	if (publish_parse(text, mappings, &err) < 0) {
		ok(!expected && err.kind == ERROR_USAGE && json_array_size(mappings) == 0,
		   "\"%s\" is refused", text);
		return;
	}
	char *mapping = json_compact(json_array_get(mappings, 0));
	is(mapping, expected, "\"%s\"", text);
	free(mapping);
}

/* Whether `second` may stand beside `first`. */
static int both(const char *first, const char *second)
{
	json_auto_t *mappings = json_array();
	struct error err;

	return publish_parse(first, mappings, &err) == 0 &&
	       publish_parse(second, mappings, &err) == 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_one(cases[i].text, cases[i].mapping);
	ok(both("80:80", "81:80"), "two host ports for one container port");
	ok(both("80:80/tcp", "80:80/udp"), "two protocols");
	ok(both("127.0.0.1:80:80", "127.0.0.2:80:80"), "two host addresses");
	ok(!both("80:80", "80:81"), "one host port twice");
	ok(!both("80:80", "127.0.0.1:80:81"), "one host port twice, once for all addresses");
	ok(!both("0.0.0.0:80:80", "127.0.0.1:80:81"), "the same with the address for all");
	ok(!both("[::]:80:80", "[::1]:80:81"), "the same with that of IPv6");
	ok(!both("80:80", "[::1]:80:81"), "one host port twice, once for all of both families");
	ok(both("0.0.0.0:80:80", "[::]:80:81"), "all addresses of either family");
	ok(both("127.0.0.1:80:80", "[::]:80:81"), "one address, and all of the other family");
	return tap_done();
}
