/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/lookaside.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/reference.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static const char files[] = "default-docker:\n"
			    "  lookaside: https://all.example/\n"
			    "  use-sigstore-attachments: true\n"
			    "docker:\n"
			    "  a.example:\n"
			    "    lookaside: https://a.example/s\n"
			    "    lookaside-staging: file:///staging/a\n"
			    "  a.example/x:\n"
			    "    use-sigstore-attachments: false\n"
			    "    accept-bundles-without-identity: true\n"
			    "  a.example/x/y:v1:\n"
			    "    sigstore: http://old.example\n"
			    "    sigstore-staging: file:///staging/old\n"
			    "  '*.b.example':\n"
			    "    lookaside: file:///b\n"
			    "    unknown: [1]\n"
			    "  empty.example:\n"
			    "    lookaside: ''\n"
			    "    lookaside-staging:\n"
			    "    use-sigstore-attachments:\n"
			    "  nothing.example:\n"
			    "  odd.example:\n"
			    "    use-sigstore-attachments: no\n"
			    "    accept-bundles-without-identity: \"on\"\n"
			    "    lookaside: file:/la\n"
			    "    lookaside-staging: file://localhost/%61%2Fb%3f\n";

static const struct {
	const char *reference, *read, *write;
	bool attachments, accept_unnamed;
} cases[] = {
	{ "a.example/z:v1", "https://a.example/s", "file:///staging/a", true, false },
	{ "a.example/x:v1", "https://a.example/s", "file:///staging/a", false, true },
	{ "a.example/x/y:v1", "http://old.example", "file:///staging/old", false, true },
	{ "a.example/x/y:v2", "https://a.example/s", "file:///staging/a", false, true },
	{ "c.b.example/z:v1", "file:///b", "file:///b", true, false },
	{ "b.example/z:v1", "https://all.example/", "https://all.example/", true, false },
	{ "empty.example/z:v1", "https://all.example/", "https://all.example/", true, false },
	{ "odd.example/z:v1", "file:///la", "file:///a/b?", false, true },
	{ "nothing.example/z:v1", "https://all.example/", "https://all.example/", true, false },
};

static const struct {
	const char *what, *text;
} bad[] = {
	{ "a list", "- a\n" },
	{ "docker that is a list", "docker: [a]\n" },
	{ "a section that is a text", "default-docker: x\n" },
	{ "a URL that is a list", "default-docker:\n  sigstore: [a]\n" },
	{ "a flag that is a text", "default-docker:\n  use-sigstore-attachments: perhaps\n" },
	{ "a scope twice", "docker:\n  a.example:\n  a.example:\n" },
	{ "a scope of another file", "docker:\n  a.example/x:\n    lookaside: file:///x\n" },
	{ "the default of another file", "default-docker:\n  lookaside: file:///x\n" },
};

static const char *const bad_urls[] = {
	"ftp://a.example/", "file://host/path",	  "file:path",	  "/path",	 "file:///a%2",
	"file:///a%zz",	    "file:///a%00",	  "file:///a?b",  "file:///a#b", "file://localhost",
	"https://a/?b",	    "https://user:pw@a/", "https://a/#b",
};

static void test_choice(const json_t *sections)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cleanup_reference struct reference reference = { 0 };
		cleanup_lookaside struct lookaside lookaside = { 0 };
		struct error err = { 0 };

		reference_parse(cases[i].reference, &reference, &err);
		ok(lookaside_choose(sections, &reference, &lookaside, &err) == 0 &&
			   strcmp(lookaside.read, cases[i].read) == 0 &&
			   strcmp(lookaside.write, cases[i].write) == 0 &&
			   lookaside.attachments == cases[i].attachments &&
			   lookaside.accept_unnamed == cases[i].accept_unnamed,
		   "lookaside: %s", cases[i].reference);
	}
}

static void test_urls(void)
{
	struct reference reference = { .registry = (char *)"a.example",
				       .repository = (char *)"x",
				       .tag = (char *)"v1" };

	for (size_t i = 0; i < sizeof bad_urls / sizeof bad_urls[0]; i++) {
		json_auto_t *sections = json_pack("{s:{s:s}}", "", "lookaside", bad_urls[i]);
		cleanup_lookaside struct lookaside lookaside = { 0 };
		struct error err = { 0 };

		ok(lookaside_choose(sections, &reference, &lookaside, &err) < 0 &&
			   err.kind == ERROR_UNSUPPORTED,
		   "lookaside: refused: %s", bad_urls[i]);
	}
}

int main(void)
{
	json_auto_t *sections = json_object();
	struct error err = { 0 };

	ok(lookaside_add(sections, files, strlen(files), "f", &err) == 0, "lookaside: %s",
	   err.message);
	test_choice(sections);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(lookaside_add(sections, bad[i].text, strlen(bad[i].text), "g", &err) < 0 &&
			   err.kind == ERROR_INTEGRITY,
		   "lookaside: refused: %s", bad[i].what);
	test_urls();
	return tap_done();
}
