/* SPDX-License-Identifier: Apache-2.0 */
/* Which tags of a repository are wanted. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <regex.h>
#include <stdbool.h>

struct tag_filter {
	struct tag_pattern {
		regex_t regex;
		bool excludes;
	} * patterns;
	size_t count;
	const char *constraint; /* on versions (semver.h), borrowed; or NULL */
};

/* Add a pattern: an extended regular expression (POSIX) that may be found anywhere in the tag, with
 * (?:…) and the escapes of Go; what else Go has more is ERROR_USAGE. */
int tag_filter_add(struct tag_filter *filter, const char *pattern, bool excludes,
		   struct error *err);
int tag_filter_constrain(struct tag_filter *filter, const char *constraint, struct error *err);

/* What the options of a command say; the strings are borrowed. */
struct tag_filter_options {
	struct strings include, exclude; /* patterns */
	const char *semver;
};

/* Their rows; FIELD() is the command's own offsetof. */
/* clang-format off */
#define TAG_FILTER_OPTIONS(tags) \
	{ "include-tags", 0, "REGEX", OPTION_LIST, FIELD(tags.include), \
	  "only tags that match (may be repeated)" }, \
	{ "exclude-tags", 0, "REGEX", OPTION_LIST, FIELD(tags.exclude), \
	  "no tags that match (may be repeated)" }, \
	{ "semver", 0, "CONSTRAINT", OPTION_STRING, FIELD(tags.semver), \
	  "only tags whose version matches: '>= 1.2, < 2'" }
/* clang-format on */

int tag_filter_make(const struct tag_filter_options *options, struct tag_filter *filter,
		    struct error *err);
void tag_filter_free(struct tag_filter *filter);
#define cleanup_tag_filter __attribute__((cleanup(tag_filter_free)))

/* Found by one of the patterns, where there are any, and by none that excludes; and a version that
 * meets the constraint, where there is one. */
bool tag_filter_wants(const struct tag_filter *filter, const char *tag);
