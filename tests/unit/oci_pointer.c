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
	return tap_done();
}
