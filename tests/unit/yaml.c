/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text, *json;
} good[] = {
	{ "", "null" },
	{ "# only a comment\n", "null" },
	{ "[True, TRUE, true, False, FALSE, Null, NULL]",
	  "[true,true,true,false,false,null,null]" },
	{ "[TRue, tRUE, trUe, 'True', yes, nULL]",
	  "[\"TRue\",\"tRUE\",\"trUe\",\"True\",\"yes\",\"nULL\"]" },
	{ "---\n", "null" },
	{ "a: 1\nb: [x, 'true', true]\n", "{\"a\":\"1\",\"b\":[\"x\",\"true\",true]}" },
	{ "a:\n  - b: c\n    d:\n  - ~\n", "{\"a\":[{\"b\":\"c\",\"d\":null},null]}" },
	{ "1.10: 0x1f\n", "{\"1.10\":\"0x1f\"}" },
	{ "{\"a\": {}, \"b\": []}\n", "{\"a\":{},\"b\":[]}" },
	{ "a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}" },
	{ "---\na: yes\n...\n", "{\"a\":\"yes\"}" },
	{ "a: &x [b]\nc: *x\nd: [&y e, *y, *x]\n",
	  "{\"a\":[\"b\"],\"c\":[\"b\"],\"d\":[\"e\",\"e\",[\"b\"]]}" },
	{ "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne:\n  c: 4\n  <<: [{f: 5, c: 6}, *x]\n",
	  "{\"a\":{\"b\":\"1\",\"c\":\"2\"},\"d\":{\"b\":\"1\",\"c\":\"3\"},"
	  "\"e\":{\"b\":\"1\",\"c\":\"4\",\"f\":\"5\"}}" },
	{ "'<<': 1\n", "{\"<<\":\"1\"}" },
};

static const struct {
	const char *what, *text, *error;
	enum error_kind kind;
} bad[] = {
	{ "no end", "\na: [b\n", "f:3:", ERROR_INTEGRITY },
	{ "a second key", "a: 1\nb: 2\na: 3\n", "f:3: a second \"a\"", ERROR_INTEGRITY },
	{ "a list for a key", "? [a]\n: b\n", "f:1: a key", ERROR_INTEGRITY },
	{ "an alias without an anchor", "a: *x\n", "f:1: no anchor \"x\"", ERROR_INTEGRITY },
	{ "an alias within its anchor", "a: &x [*x]\n", "f:1: no anchor \"x\"", ERROR_INTEGRITY },
	{ "a merge of a text", "<<: a\n", "f:2: \"<<\" that is not a mapping", ERROR_INTEGRITY },
	{ "a merge of texts", "<<: [{a: 1}, b]\n", "f:2: \"<<\" that", ERROR_INTEGRITY },
	{ "two merges", "<<: {a: 1}\n<<: {b: 1}\n", "f:2: a second \"<<\"", ERROR_INTEGRITY },
	{ "a billion laughs",
	  "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
	  "f:5: aliases for more than", ERROR_LIMIT },
	{ "a tag", "a: !!binary aGk=\n", "f:1: tags", ERROR_UNSUPPORTED },
	{ "two documents", "a: 1\n---\nb: 2\n", "f:2: a second document", ERROR_UNSUPPORTED },
	{ "a NUL", "a: \"x\\0y\"\n", "f:1: a NUL", ERROR_INTEGRITY },
	{ "no UTF-8", "a: \xff\n", "f:", ERROR_INTEGRITY },
	{ "a tab to indent", "a:\n\t- b\n", "f:2:", ERROR_INTEGRITY },
};

static void test_bad(size_t i)
{
	struct error err = { 0 };
	json_auto_t *value = yaml_parse(bad[i].text, strlen(bad[i].text), "f", &err);

	ok(!value && err.kind == bad[i].kind && strstr(err.message, bad[i].error) == err.message,
	   "refused: %s", bad[i].what);
}

static void test_depth(void)
{
	char text[256] = { 0 };
	struct error err = { 0 };

	memset(text, '[', YAML_DEPTH_MAX);
	memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	json_auto_t *deep = yaml_parse(text, strlen(text), "f", &err);
	ok(deep, "as deep as may be");
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	json_auto_t *deeper = yaml_parse(text, strlen(text), "f", &err);
	ok(!deeper && err.kind == ERROR_INTEGRITY, "refused: deeper");
}

static void test_long_copies(void)
{
	enum { LENGTH = 64 << 10, ALIASES = 20 };
	char text[LENGTH + 4 * ALIASES + 64];
	struct error err = { 0 };
	int used = snprintf(text, sizeof text, "[&a %0*d", LENGTH, 0);

	for (int i = 0; i < ALIASES; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, ",*a");
	snprintf(text + used, sizeof text - (size_t)used, "]");

	json_auto_t *value = yaml_parse(text, strlen(text), "f", &err);
	ok(!value && err.kind == ERROR_LIMIT, "refused: aliases for a long text");
}

int main(void)
{
	test_long_copies();
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct error err = { 0 };
		json_auto_t *value = yaml_parse(good[i].text, strlen(good[i].text), "f", &err);
		cleanup_free char *text =
			value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
			      : NULL;

		is(text, good[i].json, "%s", good[i].json);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		test_bad(i);
	test_depth();
	return tap_done();
}
