/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_result.h"

#include "ctr-net/cni_version.h"

#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define OLD_IPS                                                                                    \
	"\"ips\":[{\"address\":\"10.1.0.2/16\",\"gateway\":\"10.1.0.1\",\"interface\":2,"          \
	"\"version\":\"4\"},{\"address\":\"2001:db8::2/64\",\"version\":\"6\"}]"
#define NEW_IPS                                                                                    \
	"\"ips\":[{\"address\":\"10.1.0.2/16\",\"gateway\":\"10.1.0.1\",\"interface\":2},"         \
	"{\"address\":\"2001:db8::2/64\"}]"
#define INTERFACES                                                                                 \
	"\"interfaces\":[{\"mac\":\"02:00:00:00:00:01\",\"name\":\"eth0\",\"sandbox\":\"/n\"}]"
#define NEW_INTERFACES                                                                             \
	"\"interfaces\":[{\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400,\"name\":\"eth0\","           \
	"\"pciID\":\"0000:01\",\"sandbox\":\"/n\",\"socketPath\":\"/s\"}]"
#define REST                                                                                       \
	"\"dns\":{\"nameservers\":[\"10.1.0.1\"]},\"x\":1,\"routes\":[{\"dst\":\"0.0.0.0/0\","     \
	"\"mtu\":1400}]"

static const struct {
	const char *from, *to, *in, *out; /* without cniVersion; out NULL: refused */
} cases[] = {
	{ "0.3.0", "1.1.0", OLD_IPS "," INTERFACES "," REST, NEW_IPS "," INTERFACES "," REST },
	{ "0.3.1", "1.0.0", OLD_IPS "," INTERFACES, NEW_IPS "," INTERFACES },
	{ "0.4.0", "1.0.0", OLD_IPS, NEW_IPS },
	{ "0.3.0", "0.4.0", OLD_IPS "," INTERFACES, OLD_IPS "," INTERFACES },
	{ "0.4.0", "0.3.1", OLD_IPS, OLD_IPS },
	{ "1.0.0", "0.4.0", NEW_IPS "," NEW_INTERFACES, OLD_IPS "," INTERFACES },
	{ "1.1.0", "0.3.0", NEW_IPS "," REST, OLD_IPS "," REST },
	{ "1.1.0", "1.0.0", NEW_IPS "," NEW_INTERFACES, NEW_IPS "," NEW_INTERFACES },
	{ "1.0.0", "1.1.0", NEW_IPS, NEW_IPS },
	{ "1.0.0", "1.0.0", OLD_IPS, OLD_IPS }, /* as it came */
	{ "9.0.0", "9.0.0", NEW_IPS, NEW_IPS },
	{ "1.1.0", "0.4.0", "\"ips\":null,\"interfaces\":null",
	  "\"ips\":null,\"interfaces\":null" },
	{ "1.1.0", "0.4.0", "\"ips\":[{\"address\":7},{}]",
	  "\"ips\":[{\"address\":7,\"version\":\"4\"},{\"version\":\"4\"}]" },
	{ "0.2.0", "1.0.0", "\"ip4\":{}", NULL },
	{ "1.0.0", "0.2.0", NEW_IPS, NULL },
	{ "2.0.0", "1.0.0", NEW_IPS, NULL },
	{ "", "1.0.0", NEW_IPS, NULL },
	{ "x", "1.0.0", NEW_IPS, NULL },
};

static json_t *make(const char *version, const char *members)
{
	char text[1024];
	struct error err;

	snprintf(text, sizeof text, "{\"cniVersion\":\"%s\",%s}", version, members);
	return json_parse(text, strlen(text), "test", &err);
}

static void test_convert(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_auto_t *result = make(cases[i].from, cases[i].in);
		json_auto_t *before = json_deep_copy(result);
		struct error err;
		int status = cni_result_convert(result, cases[i].to, &err);

		if (!cases[i].out) {
			ok(status < 0 && err.kind == ERROR_UNSUPPORTED, "%s to %s is refused",
			   cases[i].from, cases[i].to);
			ok(json_equal(result, before), "... and changes nothing");
			continue;
		}
		json_auto_t *expected = make(cases[i].to, cases[i].out);
		ok(status == 0, "%s to %s", cases[i].from, cases[i].to);

		char *is_text = json_compact(result), *expected_text = json_compact(expected);
		is(is_text, expected_text, "... with what that version knows");
		free(is_text);
		free(expected_text);
	}
}

static void test_versions(void)
{
	static const char *const ordered[] = {
		"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "1.10.0"
	};
	static const char *const none[] = {
		"",	 "1",	 "1.0",	   "1.0.0.0",  "1.0.0 ",	  " 1.0.0",
		"a.b.c", "1..0", "1.0.-1", "1000.0.0", "99999999999.0.0", "v1.0.0"
	};

	for (size_t i = 1; i < sizeof ordered / sizeof *ordered; i++)
		ok(cni_version_number(ordered[i - 1]) < cni_version_number(ordered[i]),
		   "%s is before %s", ordered[i - 1], ordered[i]);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ok(cni_version_number(none[i]) < 0, "\"%s\" is no version", none[i]);
}

int main(void)
{
	test_convert();
	test_versions();
	return tap_done();
}
