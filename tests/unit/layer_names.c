/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/names.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static const struct {
	const char *text;
	enum name_kind kind;
	const char *parent, *leaf; /* parent NULL: refused */
} cases[] = {
	{ "a", NAME_ENTRY, "", "a" },
	{ "a/b/c", NAME_ENTRY, "a/b", "c" },
	{ "/a", NAME_ENTRY, "", "a" },
	{ "//a//b/", NAME_ENTRY, "a", "b" },
	{ "./././a/./b/.", NAME_ENTRY, "a", "b" },
	{ "", NAME_ROOT, "", "" },
	{ "/", NAME_ROOT, "", "" },
	{ "./", NAME_ROOT, "", "" },
	{ ".//.", NAME_ROOT, "", "" },
	{ "...", NAME_ENTRY, "", "..." },
	{ "..a/b..", NAME_ENTRY, "..a", "b.." },
	{ "a\nb/\xff\xfe", NAME_ENTRY, "a\nb", "\xff\xfe" },
	{ "..", 0, NULL, NULL },
	{ "../a", 0, NULL, NULL },
	{ "a/..", 0, NULL, NULL },
	{ "a/../b", 0, NULL, NULL },
	{ "a/..//", 0, NULL, NULL },
	{ ".wh.a", NAME_WHITEOUT, "", "a" },
	{ "x/.wh.a/", NAME_WHITEOUT, "x", "a" },
	{ "x/.wh..a", NAME_WHITEOUT, "x", ".a" },
	{ "x/.wh....", NAME_WHITEOUT, "x", "..." },
	{ "x/.wh..wh", NAME_WHITEOUT, "x", ".wh" },
	{ "x/.wh..wh..opq", NAME_OPAQUE, "x", ".wh..wh..opq" },
	{ ".wh..wh..opq", NAME_OPAQUE, "", ".wh..wh..opq" },
	{ ".wh..wh..opqx", NAME_IGNORED, "", ".wh..wh..opqx" },
	{ ".wh..wh.plnk", NAME_IGNORED, "", ".wh..wh.plnk" },
	{ ".wh..wh.plnk/1.2", NAME_LINKED, ".wh..wh.plnk", "1.2" },
	{ ".wh..wh.plnk/.wh.1.2", NAME_IGNORED, ".wh..wh.plnk", "1.2" },
	{ ".wh..wh.plnk/x/1.2", NAME_IGNORED, ".wh..wh.plnk/x", "1.2" },
	{ "x/.wh..wh.plnk/1.2", NAME_IGNORED, "x/.wh..wh.plnk", "1.2" },
	{ "x/.wh..wh.aufs", NAME_IGNORED, "x", ".wh..wh.aufs" },
	{ "a.wh.b", NAME_ENTRY, "", "a.wh.b" },
	{ ".wh", NAME_ENTRY, "", ".wh" },
	{ ".wh.", 0, NULL, NULL },
	{ "x/.wh./", 0, NULL, NULL },
	{ ".wh..", 0, NULL, NULL },
	{ ".wh...", 0, NULL, NULL },
	{ ".wh./y", 0, NULL, NULL },
	{ "x/.wh.a/y", 0, NULL, NULL },
};

/* A name as it can stand in a line of TAP. */
static const char *shown(const char *text)
{
	static char line[64];
	size_t i = 0;

	for (; i < sizeof line - 1 && text[i]; i++)
		line[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	line[i] = '\0';
	return line;
}

static void check_case(size_t i)
{
	struct name name;
	struct error err;
	int status = name_parse(cases[i].text, &name, &err);

	if (!cases[i].parent) {
		ok(status < 0 && err.kind == ERROR_INTEGRITY, "\"%s\" is refused",
		   shown(cases[i].text));
		return;
	}
	ok(status == 0 && name.kind == cases[i].kind && strcmp(name.parent, cases[i].parent) == 0 &&
		   strcmp(name.leaf, cases[i].leaf) == 0,
	   "\"%s\" is of kind %d", shown(cases[i].text), cases[i].kind);
}

/* A whiteout of a name of `length` bytes in a directory of `depth` levels. */
static bool hides_long(size_t depth, size_t length)
{
	static char text[2 * NAME_PATH_MAX];
	struct name name;
	struct error err;
	size_t at = 0;

	for (; at < 2 * depth; at += 2)
		memcpy(text + at, "d/", 2);
	memcpy(text + at, ".wh.", 4);
	memset(text + at + 4, 'n', length);
	text[at + 4 + length] = '\0';
	return name_parse(text, &name, &err) == 0 && name.kind == NAME_WHITEOUT &&
	       strcmp(name.leaf, text + at + 4) == 0;
}

/* A path of `count` components of `length` bytes. */
static int parse_long(size_t count, size_t length, struct error *err)
{
	struct name name;
	char *text = calloc(count, length + 1);

	for (size_t i = 0; i < count; i++) {
		memset(text + i * (length + 1), 'n', length);
		text[i * (length + 1) + length] = i + 1 < count ? '/' : '\0';
	}
	int status = name_parse(text, &name, err);
	free(text);
	return status;
}

int main(void)
{
	char long_mark[4 + NAME_LEAF_MAX + 1] = ".wh.";
	char long_parent[NAME_LEAF_MAX + 1 + sizeof "/x"] = "";

	struct name name;
	struct error err;

	memset(long_mark + 4, 'n', NAME_LEAF_MAX);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_case(i);
	ok(parse_long(1, NAME_LEAF_MAX, &err) == 0, "the longest name");
	ok(parse_long(1, NAME_LEAF_MAX + 1, &err) < 0, "a name too long");
	memset(long_parent, 'n', NAME_LEAF_MAX + 1);
	memcpy(long_parent + NAME_LEAF_MAX + 1, "/x", sizeof "/x");
	ok(name_parse(long_parent + 1, &name, &err) == 0, "the longest name of a directory");
	ok(name_parse(long_parent, &name, &err) < 0, "a directory's name too long");
	ok(hides_long(0, NAME_LEAF_MAX), "the longest name can be hidden");
	ok(!hides_long(0, NAME_LEAF_MAX + 1), "no longer one");
	ok(hides_long(1920, NAME_LEAF_MAX), "at the end of the longest path, too");
	ok(!hides_long(1921, NAME_LEAF_MAX), "no longer path");
	ok(parse_long(16, 254, &err) == 0, "a path of 4,079 bytes");
	ok(parse_long(17, 254, &err) < 0, "a path of 4,334 bytes");
	ok(parse_long(2040, 1, &err) == 0, "a deep path");
	ok(parse_long(2100, 1, &err) < 0, "a path too deep");
	ok(name_parse_target("a/.wh.b", &name, &err) == 0 && name.kind == NAME_ENTRY &&
		   strcmp(name.leaf, ".wh.b") == 0,
	   "a link's target is no whiteout");
	ok(name_parse_target(long_mark, &name, &err) < 0, "nor may it be as long as one");
	ok(name_parse_target("/", &name, &err) == 0 && name.kind == NAME_ROOT, "target root");
	ok(name_parse_target("a/../b", &name, &err) < 0, "a target with ..");
	return tap_done();
}
