/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/template.h"

#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static json_t *object, *shape;

static bool gives(const char *template, const char *expected)
{
	struct error err = { 0 };
	char *text = template_render(template, object, shape, &err);
	size_t length = strlen(expected);
	bool good =
		text && strncmp(text, expected, length) == 0 && strcmp(text + length, "\n") == 0;

	if (!good)
		printf("# %s", text ? text : err.message);
	free(text);
	return good;
}

static bool fails(const char *template, bool checked_only)
{
	struct error err = { 0 };
	char *text = template_render(template, checked_only ? NULL : object, shape, &err);
	bool failed = !text && err.kind == ERROR_USAGE;

	free(text);
	return failed;
}

int main(void)
{
	static const char *const rich[] = { "{{range .Layers}}x{{end}}",
					    "{{len .Layers}}",
					    "{{.Name | printf}}",
					    "{{index .Layers 0}}",
					    "{{index .Labels a}}",
					    "{{index .Labels \"a}}",
					    "{{index .Labels \"a\\\"\"}}",
					    "{{index .Labels \"a\" \"b\"}}",
					    "{{index .Labels}}",
					    "{{index \"a\"}}",
					    "{{",
					    "{{.Name",
					    "{{if .Name}}a{{end}}",
					    "{{..Name}}",
					    "table {{.Name}}",
					    "{{}}",
					    "{{Name}}" };

	struct strings fields = { 0 };

	object = json_pack("{s:s, s:{s:s, s:s}, s:[s, s], s:s, s:n, s:i, s:{s:[s]}, s:b}", "Name",
			   "a/b", "Labels", "z", "1", "a", "2", "Layers", "x", "y", "Created",
			   "2026-01-02T03:04:05.120Z", "Env", "Size", 7, "rootfs", "diff_ids", "d",
			   "Is", 1);
	ok(gives("", ""), "template: nothing");
	ok(gives("{{.Name}}", "a/b"), "template: a field");
	ok(gives("{{ .Name }} is {{.Size}}\\t{{.Is}}\\n", "a/b is 7\ttrue\n"),
	   "template: text, numbers, escapes");
	ok(gives("{{index .Labels \"a\"}}{{ index  .Labels  \"no.such\" }}", "2"),
	   "template: a key of a map, and one that is not there");
	ok(fails("{{index .Name \"a\"}}", false), "template: a key of what is no map");
	ok(gives("{{.Layers}} {{.Labels}}", "[x y] map[a:2 z:1]"),
	   "template: lists and maps as Go prints them");
	ok(gives("{{.Labels.z}}", "1"), "template: a field of a field");
	ok(gives("{{.RootFS.DiffIDs}}", "[d]"), "template: Go's names");
	ok(gives("{{.Created}}", "2026-01-02T03:04:05.120Z"), "template: text like a time");
	ok(gives("{{json .Labels}} {{json .Name}} {{json .Env}}",
		 "{\"a\":\"2\",\"z\":\"1\"} \"a/b\" null"),
	   "template: JSON");
	shape = json_pack("{s:s, s:[], s:[s], s:{}, s:{s:[], s:i, s:{}}, s:b, s:b}", "Tag", "",
			  "Env", "Layers", "", "Labels", "rootfs", "diff_ids", "Size", 7, "More",
			  "Created", 1, "Never", 1);
	ok(gives("{{.Created}} {{json .Created}} {{.Never}} {{json .Never}}",
		 "2026-01-02 03:04:05.12 +0000 UTC \"2026-01-02T03:04:05.120Z\" <nil> null"),
	   "template: a time");
	ok(gives("<{{.Tag}}> {{.Env}} {{json .Env}} {{json .Tag}} {{.Layers}}",
		 "<> [] null \"\" [x y]"),
	   "template: what is missing or null");
	ok(gives("{{.RootFS}} {{.RootFS.More}} {{json .RootFS.More}}", "{[d] 7 map[]} map[] null"),
	   "template: structs");
	ok(gives("{{.Labels.z}} {{.Labels.none}} {{json .Labels.none}}", "1 <no value> null"),
	   "template: what a map does not have");
	ok(fails("{{.RootFS.None}}", false), "template: what a struct does not have");
	ok(fails("{{.Nope}}", false), "template: a field that is not there");
	ok(!fails("{{.Nope}}", true), "template: is not known before");
	for (size_t i = 0; i < sizeof rich / sizeof *rich; i++)
		ok(fails(rich[i], true), "template: %s is more than a field", rich[i]);
	template_fields("{{.Name}} {{ json .Labels.a }}{{json .}}{{index .Env \"a.b\"}}\n",
			&fields);
	ok(fields.count == 4, "template: its fields are known");
	is(fields.items[0], "Name", "template: a field");
	is(fields.items[1], "Labels", "template: the field that has one");
	is(fields.items[2], "", "template: the whole");
	is(fields.items[3], "Env", "template: the field that has a key");
	strings_free(&fields);
	json_decref(object);
	json_decref(shape);
	return tap_done();
}
