/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "nothing" },
	{ "{", "half an object" },
	{ "{} {}", "two values" },
	{ "{\"a\":1,\"a\":2}", "a key twice" },
	{ "{\"a\":\"\xff\"}", "invalid UTF-8" },
	{ "{'a':1}", "single quotes" },
	{ "{\"a\":1,}", "a comma too many" },
	{ "<html>", "HTML" },
	{ "[\"\\u0000\"]", "a NUL" },
};

/* RFC 7396, appendix A */
static const struct {
	const char *target, *patch, *result;
} merges[] = {
	{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
	{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
	{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
	{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
	{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
	{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
	{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
	{ "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}" },
	{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
	{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
};

static json_t *nested(int depth, struct error *err)
{
	char text[256];

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return json_parse(text, 2 * (size_t)depth, "nested", err);
}

/* With a member that is text already, the same as with its value. */
static void test_compact_with(void)
{
	static const char value[] = "{\"x\":[\"\u00e9\",1]}";
	static const char *const keys[] = { "a", "b", "b2", "bb", "z", "\u00e9" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_auto_t *object =
			json_pack("{s:i, s:[], s:s, s:{}}", "b", 1, "bb", "c", "y", "z");
		json_auto_t *empty = json_object(), *one = json_object();
		char *found = json_compact_with(object, keys[i], value);
		char *alone = json_compact_with(empty, keys[i], value);

		json_object_set_new(object, keys[i], json_loads(value, 0, NULL));
		json_object_set(one, keys[i], json_object_get(object, keys[i]));
		char *expected = json_compact(object), *expected_alone = json_compact(one);
		is(found, expected, "compact text with \"%s\" among others", keys[i]);
		is(alone, expected_alone, "compact text with \"%s\" alone", keys[i]);
		free(found);
		free(alone);
		free(expected);
		free(expected_alone);
	}
}

static void test_merge_patch(void)
{
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		json_auto_t *target = json_loads(merges[i].target, 0, NULL);
		json_auto_t *patch = json_loads(merges[i].patch, 0, NULL);
		json_auto_t *merged = json_merge_patch(target, patch);
		cleanup_free char *text = json_compact(merged);
		cleanup_free char *before = json_compact(target);

		is(text, merges[i].result, "%s", merges[i].patch);
		is(before, merges[i].target, "the target does not change");
	}
}

int main(void)
{
	struct error err;

	test_compact_with();
	test_merge_patch();

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		json_t *json = json_parse(refused[i].text, strlen(refused[i].text), "x", &err);

		ok(!json && err.kind == ERROR_INTEGRITY, "%s is refused", refused[i].why);
		ok(!strstr(err.message, "JSON_"), "and in words of ours");
		json_decref(json);
	}
	json_t *deep = nested(JSON_DEPTH_MAX, &err);
	ok(deep, "%d levels are read", JSON_DEPTH_MAX);
	json_decref(deep);
	ok(!nested(JSON_DEPTH_MAX + 1, &err), "one level more is refused");

	static const char brackets[] = "{\"a\":\"[[[[\\\"[[[\"}";
	json_t *json = json_parse(brackets, strlen(brackets), "x", &err);
	ok(json, "brackets in a string are not levels");
	json_decref(json);

	static const char text[] = "{\"b\":{\"c\":\"d\"},\"a\":[1,2]}";
	json = json_parse(text, strlen(text), "x", &err);
	char *compact = json_compact(json);
	is(compact, "{\"a\":[1,2],\"b\":{\"c\":\"d\"}}", "compact text has sorted keys");
	free(compact);
	is(json_string_value(json_path(json, "b", "c", NULL)), "d", "a path of keys");
	ok(!json_path(json, "b", "x", "y", NULL), "a path that is not there");
	is(json_text(json, "a", "otherwise"), "otherwise", "not a string");

	const char *c;
	ok(json_require(json, "x", &err, "{s:{s:s}}", "b", "c", &c) == 0,
	   "what is required is there");
	ok(json_require(json, "x", &err, "{s:i}", "z", &(int){ 0 }) < 0 &&
		   err.kind == ERROR_INTEGRITY && strstr(err.message, "z"),
	   "what is required and missing is named");
	json_decref(json);
	return tap_done();
}
