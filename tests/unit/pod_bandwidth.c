/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_bandwidth.h"

#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *text;
	long long rate, burst; /* 0: refused */
} cases[] = {
	{ "1k", 1000, 240000 },
	{ "10M", 10000000, 2400000000 },
	{ "1G", 1000000000, 4294967295 },
	{ "1P", 1000000000000000, 4294967295 },
	{ "1.5M", 1500000, 360000000 },
	{ "1.M", 1000000, 240000000 },
	{ "1Mi", 1048576, 251658240 },
	{ "1000", 1000, 240000 },
	{ "1000.2", 1001, 240240 },
	{ "1e6", 1000000, 240000000 },
	{ "2E4", 20000, 4800000 },
	{ "", 0, 0 },
	{ "M", 0, 0 },
	{ ".5M", 0, 0 },
	{ "0", 0, 0 },
	{ "999", 0, 0 },
	{ "1.1P", 0, 0 },
	{ "1Pi", 0, 0 },
	{ "1E", 0, 0 },
	{ "1e", 0, 0 },
	{ "1e16", 0, 0 },
	{ "1e999", 0, 0 },
	{ "-1M", 0, 0 },
	{ " 1M", 0, 0 },
	{ "1 M", 0, 0 },
	{ "1m", 0, 0 },
	{ "1K", 0, 0 },
	{ "0x1p20", 0, 0 },
	{ "inf", 0, 0 },
	{ "1Mbit", 0, 0 },
	{ "1e3k", 0, 0 },
};

static void test_quantities(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		json_auto_t *annotations =
			json_pack("{s:s}", "kubernetes.io/egress-bandwidth", cases[i].text);
		json_auto_t *bandwidth = pod_bandwidth(annotations, &err);

		if (cases[i].rate == 0) {
			ok(!bandwidth && err.kind == ERROR_USAGE, "\"%s\" is refused",
			   cases[i].text);
			continue;
		}
		json_auto_t *expected =
			json_pack("{s:I, s:I}", "egressRate", (json_int_t)cases[i].rate,
				  "egressBurst", (json_int_t)cases[i].burst);
		ok(bandwidth && json_equal(bandwidth, expected), "\"%s\"", cases[i].text);
	}
}

static void test_directions(void)
{
	struct error err = { 0 };
	json_auto_t *both = json_pack("{s:s, s:s, s:s}", "kubernetes.io/egress-bandwidth", "1k",
				      "kubernetes.io/ingress-bandwidth", "2k", "a", "b");
	json_auto_t *bandwidth = pod_bandwidth(both, &err);
	char *text = json_compact(bandwidth);

	is(text,
	   "{\"egressBurst\":240000,\"egressRate\":1000,\"ingressBurst\":480000,"
	   "\"ingressRate\":2000}",
	   "both directions");
	free(text);

	json_auto_t *none = pod_bandwidth(NULL, &err);
	ok(json_is_object(none) && json_object_size(none) == 0, "neither");
}

int main(void)
{
	test_quantities();
	test_directions();
	return tap_done();
}
