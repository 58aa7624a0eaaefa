/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"
#include "oci-gen/mounts.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static json_t *parse_json(const char *text, struct error *err)
{
	return mount_parse_json(text, false, err);
}

static json_t *parse_for_windows(const char *text, struct error *err)
{
	return mount_parse_json(text, true, err);
}

static const struct {
	json_t *(*parse)(const char *text, struct error *err);
	const char *text;
	const char *mount; /* as JSON, or NULL where it is refused */
} cases[] = {
	{ mount_parse_bind, "/a:/b",
	  "{\"destination\":\"/b\",\"options\":[\"rbind\",\"rprivate\"],"
	  "\"source\":\"/a\",\"type\":\"bind\"}" },
	{ mount_parse_bind, "/a:/b:ro,bind,rslave",
	  "{\"destination\":\"/b\",\"options\":[\"ro\",\"bind\",\"rslave\"],"
	  "\"source\":\"/a\",\"type\":\"bind\"}" },
	{ mount_parse_bind, "/a:/b:,,ro,",
	  "{\"destination\":\"/b\",\"options\":[\"rbind\",\"rprivate\",\"ro\"],"
	  "\"source\":\"/a\",\"type\":\"bind\"}" },
	{ mount_parse_bind, "", NULL },
	{ mount_parse_bind, "/a", NULL },
	{ mount_parse_bind, "/a:", NULL },
	{ mount_parse_bind, "/a:b", NULL },
	{ mount_parse_bind, "/a:///", NULL },
	{ mount_parse_bind, ":/b", NULL },
	{ mount_parse_bind, "/a:/b:r", NULL },
	{ mount_parse_bind, "/a:/b:ro:rw", NULL },
	{ mount_parse_bind, "/a:/b:size=1", NULL },
	{ mount_parse_tmpfs, "/run",
	  "{\"destination\":\"/run\",\"options\":[\"nosuid\",\"nodev\",\"noexec\"],"
	  "\"source\":\"tmpfs\",\"type\":\"tmpfs\"}" },
	{ mount_parse_tmpfs, "/run:exec,size=1m",
	  "{\"destination\":\"/run\",\"options\":[\"nosuid\",\"nodev\",\"exec\",\"size=1m\"],"
	  "\"source\":\"tmpfs\",\"type\":\"tmpfs\"}" },
	{ mount_parse_tmpfs, "run", NULL },
	{ mount_parse_tmpfs, "/run:=x", NULL },
	{ parse_json, "{\"destination\":\"/a\",\"type\":\"x\"}",
	  "{\"destination\":\"/a\",\"type\":\"x\"}" },
	{ parse_json, "{\"destination\":1}", NULL },
	{ parse_json, "[]", NULL },
	{ parse_json, "{", NULL },
	{ parse_json, "{\"destination\":\"C:\\\\a\"}", NULL },
	{ parse_for_windows, "{\"destination\":\"C:\\\\a\"}", "{\"destination\":\"C:\\\\a\"}" },
};

static void test_parsing(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err;
		json_t *mount = cases[i].parse(cases[i].text, &err);
		char *text = mount ? json_dumps(mount, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

		is(text, cases[i].mount, "\"%s\"", cases[i].text);
		free(text);
		json_decref(mount);
	}
}

static const char *destination(const json_t *mounts, size_t i)
{
	return json_string_value(json_object_get(json_array_get(mounts, i), "destination"));
}

int main(void)
{
	json_t *mounts = json_array();

	log_setup("oci_mounts", LOG_LEVEL_ERROR);
	test_parsing();
	mounts_put(mounts, mount_new("/a/b/c", "x", "1", ""));
	mounts_put(mounts, mount_new("/a", "x", "2", ""));
	mounts_put(mounts, mount_new("//a//b/", "x", "3", ""));
	mounts_put(mounts, mount_new("/z", "x", "4", ""));
	mounts_put(mounts, mount_new("/a/b", "x", "5", ""));
	mounts_put(mounts, mount_new("/ab", "x", "6", ""));
	ok(json_array_size(mounts) == 5, "the same place is there once, however it is written");

	json_t *sorted = mounts_sorted(mounts);
	is(destination(sorted, 0), "/a", "the higher first");
	is(destination(sorted, 1), "/z", "else in the order given");
	is(destination(sorted, 2), "/ab", "else in the order given");
	is(destination(sorted, 3), "/a/b", "the last one put there");
	is(destination(sorted, 4), "/a/b/c", "the deepest last");
	json_decref(sorted);
	json_decref(mounts);
	return tap_done();
}
