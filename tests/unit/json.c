/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

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
};

static json_t *nested(int depth, struct error *err)
{
	char text[256];

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return json_parse(text, 2 * (size_t)depth, "nested", err);
}

int main(void)
{
	struct error err;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		json_t *json = json_parse(refused[i].text, strlen(refused[i].text), "x", &err);

		ok(!json && err.kind == ERROR_INTEGRITY, "%s is refused", refused[i].why);
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
