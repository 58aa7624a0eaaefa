/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/pointer.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static void dump_is(const json_t *json, const char *expected, const char *name)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	is(text, expected, "%s", name);
	free(text);
}

/* Pointers of users: with escapes, and indexes of arrays. */
static void test_any(void)
{
	json_t *root = json_loads("{\"a/b\":[{\"x~\":1},[2,3]],\"\":4}", 0, NULL), *parent = NULL;

	ok(json_integer_value(pointer_find(root, "/a~1b/0/x~0", &parent)) == 1 &&
		   json_object_size(parent) == 1,
	   "escapes and indexes");
	ok(json_integer_value(pointer_find(root, "/", NULL)) == 4, "an empty key is found");
	ok(pointer_find(root, "", &parent) == root && !parent, "the whole is in nothing");
	static const char *const missing[] = {
		"x",	    "/a",	"/a~1b/2",	 "/a~1b/-1",
		"/a~1b/00", "/a~1b/+1", "/a~1b/0/x~0/y", "/a~1b/99999999999999999999"
	};
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		ok(pointer_find(root, missing[i], NULL) == NULL, "%s is not there", missing[i]);
	ok(pointer_replace(root, "/a~1b/1/0", json_integer(5)) &&
		   !pointer_replace(root, "/a~1b/1/7", json_integer(5)) &&
		   !pointer_replace(root, "", json_integer(5)),
	   "replace what is there only");
	ok(pointer_delete(root, "/a~1b/0") && !pointer_delete(root, "/a~1b/1") &&
		   !pointer_delete(root, "") && pointer_delete(root, "/"),
	   "delete what is there only");
	dump_is(root, "{\"a/b\":[[5,3]]}", "the rest stays");
	json_decref(root);

	char *text = pointer_last("/a/b~1c");
	is(text, "b/c", "the last key");
	free(text);
	text = pointer_above("/a/b~1c");
	is(text, "/a", "what it is in");
	free(text);
}

int main(void)
{
	json_t *root = json_object();

	pointer_set(root, "/a/b/c", json_integer(1));
	dump_is(root, "{\"a\":{\"b\":{\"c\":1}}}", "set makes what is missing");
	pointer_set(root, "/a/b", json_true());
	dump_is(root, "{\"a\":{\"b\":true}}", "set replaces");
	ok(pointer_get(root, "/a/x") == NULL && pointer_get(root, "/x/y") == NULL &&
		   pointer_get(root, "/a/b/c") == NULL,
	   "get of what is not there");
	ok(pointer_get(root, "") == root, "the empty pointer is the whole");
	json_array_append_new(pointer_array(root, "/list"), json_integer(1));
	json_array_append_new(pointer_array(root, "/list"), json_integer(2));
	json_object_set_new(pointer_object(root, "/map"), "k/", json_null());
	dump_is(root, "{\"a\":{\"b\":true},\"list\":[1,2],\"map\":{\"k/\":null}}",
		"arrays and objects are made once");
	pointer_remove(root, "/a/b");
	pointer_remove(root, "/a/b");
	pointer_remove(root, "/x/y");
	pointer_remove(root, "/list");
	dump_is(root, "{\"a\":{},\"map\":{\"k/\":null}}", "remove takes away, and makes nothing");

	char *joined = pointer_join("/a", "b/c~d");
	is(joined, "/a/b~1c~0d", "keys are escaped");
	free(joined);
	joined = pointer_join("", "");
	is(joined, "/", "an empty key");
	free(joined);
	joined = pointer_index("/a", 12);
	is(joined, "/a/12", "an index");
	free(joined);
	json_decref(root);
	test_any();
	return tap_done();
}
