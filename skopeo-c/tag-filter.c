/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tag-filter.h"

#include "lib/cleanup.h"
#include "skopeo-c/semver.h"

#include <stdlib.h>
#include <string.h>

static void put(char **to, const char *text)
{
	memcpy(*to, text, strlen(text));
	*to += strlen(text);
}

/* Say in POSIX's words what Go's syntax has more: the caller frees it; NULL with an error. */
static char *translate(const char *pattern, struct error *err)
{
	cleanup_free char *result = xcalloc(1, 6 * strlen(pattern) + 1);
	bool in_brackets = false;
	char *to = result;

	for (const char *at = pattern; *at; at++) {
		if (at[0] == '\\' && at[1] == 'd') {
			put(&to, in_brackets ? "0-9" : "[0-9]");
			at++;
		} else if (at[0] == '\\' && at[1]) {
			*to++ = *at++;
			*to++ = *at;
		} else if (!in_brackets && strncmp(at, "(?:", 3) == 0) {
			*to++ = '(';
			at += 2;
		} else if (!in_brackets && at[0] == '?' && at > pattern &&
			   strchr("(*+?}", at[-1])) {
			error_set(
				err, ERROR_USAGE,
				"the pattern \"%s\" is more than POSIX's regular expressions have",
				pattern);
			return NULL;
		} else {
			in_brackets = at[0] == '[' || (in_brackets && at[0] != ']');
			*to++ = *at;
		}
	}
	return steal_ptr(&result);
}

int tag_filter_add(struct tag_filter *filter, const char *pattern, bool excludes, struct error *err)
{
	struct tag_pattern new = { .excludes = excludes };
	cleanup_free char *text = translate(pattern, err);
	char why[128];

	if (!text)
		return -1;
	int status = regcomp(&new.regex, text, REG_EXTENDED | REG_NOSUB);
	if (status != 0) {
		regerror(status, &new.regex, why, sizeof why);
		return error_set(err, ERROR_USAGE, "the pattern \"%s\": %s", pattern, why);
	}
	filter->patterns =
		xreallocarray(filter->patterns, filter->count + 1, sizeof *filter->patterns);
	filter->patterns[filter->count++] = new;
	return 0;
}

int tag_filter_constrain(struct tag_filter *filter, const char *constraint, struct error *err)
{
	if (semver_check_constraint(constraint, err) < 0)
		return -1;
	filter->constraint = constraint;
	return 0;
}

int tag_filter_make(const struct tag_filter_options *options, struct tag_filter *filter,
		    struct error *err)
{
	for (size_t i = 0; i < options->include.count; i++)
		if (tag_filter_add(filter, options->include.items[i], false, err) < 0)
			return -1;
	for (size_t i = 0; i < options->exclude.count; i++)
		if (tag_filter_add(filter, options->exclude.items[i], true, err) < 0)
			return -1;
	return options->semver ? tag_filter_constrain(filter, options->semver, err) : 0;
}

void tag_filter_free(struct tag_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		regfree(&filter->patterns[i].regex);
	free(filter->patterns);
	*filter = (struct tag_filter){ 0 };
}

bool tag_filter_wants(const struct tag_filter *filter, const char *tag)
{
	bool asks = false, found = false;
	struct semver version;

	for (size_t i = 0; i < filter->count; i++) {
		const struct tag_pattern *pattern = &filter->patterns[i];
		bool matches = regexec(&pattern->regex, tag, 0, NULL, 0) == 0;

		if (pattern->excludes && matches)
			return false;
		asks = asks || !pattern->excludes;
		found = found || (!pattern->excludes && matches);
	}
	if (asks && !found)
		return false;
	return !filter->constraint ||
	       (semver_parse(tag, &version) && semver_meets(&version, filter->constraint));
}
