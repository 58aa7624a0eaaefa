/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/seccomp_names.h"

#include "lib/cleanup.h"
#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static const struct {
	const char *text;
	int lists; /* that are taken; -1: the whole is left as it is */
} cases[] = {
	{ "{\"syscalls\":[{\"names\":[\"read\",\"write\"]},{\"names\":[\"_x9\"]}]}", 2 },
	{ " {\n\t\"names\" :\r [ \"read\" ,\n \"write\" ] } ", 1 },
	{ "{\"names\":[]}", 0 },
	{ "{\"names\":[\"read\",]}", 0 },
	{ "{\"names\":[\"Read\"]}", 0 },
	{ "{\"names\":[\"read\",\"\"]}", 0 },
	{ "{\"names\":[\"read\" \"write\"]}", 0 },
	{ "{\"names\":[\"re ad\",\"write\"]}", 0 },
	{ "{\"names\":[1,\"write\"]}", 0 },
	{ "{\"names\":\"read\"}", 0 },
	{ "{\"names\":{\"a\":[\"read\"]}}", 0 },
	{ "{\"names\":[\"read\"", 0 },
	{ "{\"names\" [\"read\"]}", 0 },
	{ "{\"name\":[\"read\"],\"names2\":[\"read\"]}", 0 },
	{ "{\"a\":\"names\",\"b\":[\"read\"]}", 0 },
	/* not JSON, neither before nor after */
	{ "{\"names\":[\"read\"]", 1 },
	{ "{\"names\":[\"read\"],\"names\":[\"write\"]}", 2 },
	{ "{\"a\":\"names\":[\"read\"]}", 1 },
	{ "[1 2]", 0 },
	{ "[tr ue]", 0 },
	{ "", 0 },
	/* what could be taken for something else */
	{ "{\"names\":[\"read\"],\"a\":[\"#0\"]}", -1 },
	{ "{\"n\\u0061mes\":[\"read\"]}", -1 },
	{ "{\"a\":\"\\\"names\",\"names\":[\"read\"]}", -1 },
	{ "{\"a", -1 },
};

/* What is taken and put back is the same JSON, and what is not JSON does not become any. */
static bool same_value(const char *text, size_t length, int *count)
{
	cleanup_strings struct strings lists = { 0 };
	struct error unused;
	size_t rest_length;
	cleanup_free char *rest = seccomp_names_take(text, length, &rest_length, &lists);

	*count = rest ? (int)lists.count : -1;
	if (!rest)
		return lists.count == 0;

	json_auto_t *before = json_parse(text, length, "", &unused);
	json_auto_t *after = json_parse(rest, rest_length, "", &unused);
	if (!before || !after)
		return !before && !after;

	cleanup_free char *expected = json_compact(before);
	cleanup_free char *found = seccomp_names_text(after, &lists);
	seccomp_names_restore(after, &lists);
	return strcmp(expected, found) == 0 &&
	       (!json_is_object(after) || json_equal(before, after));
}

static void test_taking(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int count;

		ok(same_value(cases[i].text, strlen(cases[i].text), &count) &&
			   count == cases[i].lists,
		   "take: case %zu", i);
	}
}

/* The same with a few bytes that are others, many times; the numbers are the same in each run. */
static void test_changes(void)
{
	static const char bytes[] = "\"\"\"\"[]{},,: \n\\#namesx1";
	static const char good[] =
		"{\"defaultAction\":\"A\", \"syscalls\":[{\"names\": [\"read\", "
		"\"write\"],\"args\":[{\"names\":[\"a\"]}]},{\"names\":[\"b\"]}]}";
	uint32_t number = 1;
	int wrong = 0, count;

	for (int i = 0; i < 50000; i++) {
		char text[sizeof good];

		memcpy(text, good, sizeof good);
		for (int changes = i % 3 + 1; changes > 0; changes--) {
			number = number * 1664525 + 1013904223;
			text[(number >> 8) % strlen(good)] = bytes[(number >> 20) % strlen(bytes)];
		}
		if (!same_value(text, strlen(text), &count) && wrong++ == 0)
			printf("# %s\n", text);
	}
	ok(wrong == 0, "take: texts with changes mean what they meant");
}

static void test_adding(void)
{
	cleanup_strings struct strings lists = { 0 };
	json_auto_t *filter = json_object();

	json_object_set_new(filter, "a", seccomp_names_add(&lists, "read"));
	json_object_set_new(filter, "b", seccomp_names_add(&lists, "read write"));
	cleanup_free char *text = seccomp_names_text(filter, &lists);
	is(text, "{\"a\":[\"read\"],\"b\":[\"read\",\"write\"]}",
	   "add: lists stand in their places");
}

int main(void)
{
	test_taking();
	test_changes();
	test_adding();
	return tap_done();
}
