/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tag_filter.h"
#include "tests/unit/tap.h"

#include <stdio.h>

/* 1: the tag is wanted; 0: it is not; -1: the pattern is none. */
static int matches(const char *pattern, const char *tag)
{
	cleanup_tag_filter struct tag_filter filter = { 0 };
	struct error err;

	return tag_filter_add(&filter, pattern, false, &err) < 0 ? -1
								 : tag_filter_wants(&filter, tag);
}

/* What Go's package regexp says of them; where that has more than we do: -1. */
int main(void)
{
	static const struct {
		const char *pattern, *tag;
		int expected;
	} rows[] = {
		{ "^v\\d+\\.\\d+$", "v1.20", 1 },
		{ "^v\\d+\\.\\d+$", "v1-20", 0 },
		{ "^\\D+$", "latest", 1 },
		{ "^\\D+$", "v1", 0 },
		{ "^\\D+$", "DDD", 1 },
		{ "\\Av1\\z", "v1", 1 },
		{ "\\Av1\\z", "Av1z", 0 },
		{ "^\\w+$", "a_1", 1 },
		{ "^\\w+$", "a-1", 0 },
		{ "^\\W$", "-", 1 },
		{ "\\brc\\b", "1.0-rc.1", 1 },
		{ "\\brc\\b", "1.0-arch", 0 },
		{ "^a\\-b$", "a-b", 1 },
		{ "^\\<a$", "a", 0 },
		{ "^(?:a|b)1$", "b1", 1 },
		/* classes */
		{ "^release-[\\w.]+$", "release-1.2", 1 },
		{ "^release-[\\w.]+$", "release-w", 1 },
		{ "^[\\w\\-.]+$", "a-b.c_d", 1 },
		{ "^[\\-.]+$", ".-.", 1 },
		{ "^[^\\d]+$", "latest", 1 },
		{ "^[^\\d]+$", "v1", 0 },
		{ "^[^\\D]+$", "12", 1 },
		{ "^[\\W]$", "-", 1 },
		{ "^[\\S]+$", "a-1", 1 },
		{ "^[a\\]b]+$", "ab", 1 },
		{ "^[a\\]b]+$", "a\\b", 0 },
		{ "^[]a]+$", "]a", 1 },
		{ "^[^]a]+$", "b", 1 },
		{ "^[^]a]+$", "]", 0 },
		{ "^[a^-]+$", "-^a", 1 },
		{ "^[a-c-]+$", "b-a", 1 },
		{ "^[a-c\\d-]+$", "b-1", 1 },
		{ "^[+-.]+$", ",", 1 },
		{ "^[\\+-.]+$", "-", 1 },
		{ "^[[:digit:]_]+$", "1_2", 1 },
		{ "^[^[:alpha:]]+$", "12", 1 },
		{ "^[[.]+$", ".[", 1 },
		{ "^[[=a]+$", "=a[", 1 },
		{ "^[.*+?(|)]+$", "?*+(", 1 },
		{ "[a", "a", -1 },
		{ "[]", "a", -1 },
		{ "[^]", "a", -1 },
		{ "[b-a]", "a", -1 },
		{ "[a-\\d]", "a", -1 },
		{ "[[:none:]]", "a", -1 },
		/* repetitions */
		{ "^\\d?$", "1", 1 },
		{ "^\\+?$", "+", 1 },
		{ "^[?]?$", "?", 1 },
		{ "^a{2}$", "aa", 1 },
		{ "a*?", "a", -1 },
		{ "a??", "a", -1 },
		{ "a{2}?", "a", -1 },
		/* more than we have */
		{ "(?i)a", "a", -1 },
		{ "(?P<n>a)", "a", -1 },
		{ "\\pL", "a", -1 },
		{ "\\x41", "A", -1 },
		{ "\\Qa.b\\E", "a.b", -1 },
		{ "[\\x41]", "A", -1 },
		{ "[\\pL]", "L", -1 },
		{ "\\ta", "ta", -1 },
		{ "(a)\\1", "aa", -1 },
		{ "a\\", "a", -1 },
		{ "(a", "a", -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(matches(rows[i].pattern, rows[i].tag) == rows[i].expected, "%s, %s: %d",
		   rows[i].pattern, rows[i].tag, rows[i].expected);
	return tap_done();
}
