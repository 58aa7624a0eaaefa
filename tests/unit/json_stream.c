/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/json_stream.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *name, *input;
	const char *objects; /* what comes out, joined by spaces */
	int end;	     /* of the last call: 0 or -1 */
	bool empty;	     /* nothing is left */
} cases[] = {
	{ "nothing", "", "", 0, true },
	{ "only white space", " \n\t\r\n", "", 0, true },
	{ "one object", "{}", "{}", 0, true },
	{ "JSON Lines", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1} {\"b\":2}", 0, true },
	{ "without a separator", "{\"a\":1}{\"b\":2}", "{\"a\":1} {\"b\":2}", 0, true },
	{ "spread over lines", "{\n  \"a\": [\n    {}\n  ]\n}\n", "{\"a\":[{}]}", 0, true },
	{ "brackets in strings", "{\"}{\":\"]\\\"}\"}", "{\"}{\":\"]\\\"}\"}", 0, true },
	{ "an escaped backslash ends a string", "{\"a\":\"\\\\\"}", "{\"a\":\"\\\\\"}", 0, true },
	{ "an object that is not whole", "{\"a\":1}\n{\"b\"", "{\"a\":1}", 0, false },
	{ "a string that is not whole", "{\"a", "", 0, false },
	{ "an array", "[]", "", -1, false },
	{ "a word", "null", "", -1, false },
	{ "a closing bracket first", "}", "", -1, false },
	{ "brackets that do not match", "{]", "", -1, false },
	{ "an object, then rubbish", "{} x", "{}", -1, false },
	{ "no value", "{\"a\":}", "", -1, false },
	{ "a key twice", "{\"a\":1,\"a\":2}", "", -1, false },
};

/* Feed the input in pieces of `step` bytes and compare what comes out. */
static void try(size_t i, size_t step)
{
	cleanup_json_stream struct json_stream stream = { 0 };
	cleanup_free char *got = xstrdup("");
	size_t length = strlen(cases[i].input);
	json_t *object;
	struct error err;
	int status = 0;

	for (size_t at = 0; at < length && status == 0; at += step) {
		json_stream_add(&stream, cases[i].input + at,
				step < length - at ? step : length - at);
		while ((status = json_stream_next(&stream, &object, &err)) == 1) {
			cleanup_free char *text = json_compact(object);
			char *longer = xasprintf("%s%s%s", got, got[0] ? " " : "", text);

			free(got);
			got = longer;
			json_decref(object);
		}
	}
	is(got, cases[i].objects, "%s, %zu bytes at a time: objects", cases[i].name, step);
	ok(status == cases[i].end, "%s, %zu bytes at a time: end", cases[i].name, step);
	ok(status < 0 || json_stream_is_empty(&stream) == cases[i].empty,
	   "%s, %zu bytes at a time: rest", cases[i].name, step);
}

static void test_nul(void)
{
	cleanup_json_stream struct json_stream stream = { 0 };
	json_t *object;
	struct error err;

	json_stream_add(&stream, "\0{}", 3);
	ok(json_stream_next(&stream, &object, &err) < 0, "a NUL is no white space");
}

static void test_limit(void)
{
	cleanup_json_stream struct json_stream stream = { 0 };
	cleanup_free char *much = xcalloc(1, 1 << 20);
	json_t *object;
	struct error err;
	int status = 0;

	memset(much, 'x', 1 << 20);
	json_stream_add(&stream, "{\"", 2);
	for (int i = 0; i < 17 && status == 0; i++) {
		json_stream_add(&stream, much, 1 << 20);
		status = json_stream_next(&stream, &object, &err);
	}
	ok(status < 0 && err.kind == ERROR_LIMIT, "an object that never ends is over a limit");
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		try(i, 1);
		try(i, 3);
		try(i, 1000);
	}
	test_nul();
	test_limit();
	return tap_done();
}
