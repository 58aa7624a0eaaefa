/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tag_filter.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "skopeo-c/semver.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

/* ---- patterns ---- */

/* Whether \d, \w and \s, or without them \D, \W and \S, mean the character. */
static bool is_in_named(char name, int c)
{
	bool is_in = name == 'd' || name == 'D'	  ? isdigit(c)
		     : name == 'w' || name == 'W' ? isalnum(c) || c == '_'
						  : isspace(c);

	return islower((unsigned char)name) ? is_in : !is_in;
}

static bool is_named(const char *at)
{
	return at[0] == '\\' && at[1] && strchr("dDwWsS", at[1]);
}

/* Read one character of a class and move behind it; -1 where that is something else. */
static int read_char(const char **at)
{
	bool is_escaped = **at == '\\';
	int c = (unsigned char)(*at)[is_escaped];

	if (c == '\0' || c > 127 || (is_escaped && isalnum(c)))
		return -1;
	*at += 1 + is_escaped;
	return c;
}

/* "[:alpha:]" */
static bool read_posix_class(const char **at, bool has[static 128])
{
	const char *end = strstr(*at, ":]");
	cleanup_free char *name = end ? xstrndup(*at + 2, (size_t)(end - *at - 2)) : NULL;
	wctype_t type = name ? wctype(name) : 0;

	if (!type)
		return false;
	for (int c = 1; c < 128; c++)
		has[c] = has[c] || iswctype((wint_t)c, type);
	*at = end + 2;
	return true;
}

/* One of the things in a class. */
static bool read_item(const char **at, bool has[static 128])
{
	if (strncmp(*at, "[:", 2) == 0)
		return read_posix_class(at, has);
	if (is_named(*at)) {
		for (int c = 1; c < 128; c++)
			has[c] = has[c] || is_in_named((*at)[1], c);
		*at += 2;
		return true;
	}
	int low = read_char(at), high = low;
	if ((*at)[0] == '-' && (*at)[1] && (*at)[1] != ']') {
		++*at;
		high = read_char(at);
	}
	for (int c = low; low > 0 && c <= high; c++)
		has[c] = true;
	return low > 0 && high >= low;
}

/* A class from its "[" on, which to POSIX has no escapes. */
static bool put_class(struct buffer *out, const char **at)
{
	bool has[128] = { false };
	const char *begin = *at + 1 + ((*at)[1] == '^');

	buffer_append(out, *at, (size_t)(begin - *at));
	for (*at = begin; **at != ']' || *at == begin;)
		if (!**at || !read_item(at, has))
			return false;
	for (int c = 1; c < 128; c++) {
		cleanup_free char *text = xasprintf(strchr("[]^-\\", c) ? "[.%c.]" : "%c", c);

		buffer_add(out, has[c] ? text : "");
	}
	buffer_add(out, "]");
	++*at;
	return true;
}

/* An escape outside of classes. The C library knows \w, \s and \b as Go does, and would take other
 * letters for themselves. */
static bool put_escape(struct buffer *out, const char **at)
{
	char c = (*at)[1];

	if (c == 'd' || c == 'D')
		buffer_add(out, c == 'd' ? "[0-9]" : "[^0-9]");
	else if (c == 'A' || c == 'z')
		buffer_add(out, c == 'A' ? "^" : "$");
	else if (c && (strchr("wWsSbB", c) || !isalnum((unsigned char)c)))
		buffer_append(out, *at + (strchr("<>`'", c) != NULL), strchr("<>`'", c) ? 1 : 2);
	else
		return false;
	*at += 2;
	return true;
}

/* What is none of these; *repeats: a repetition came before. */
static bool put_other(struct buffer *out, const char **at, bool *repeats)
{
	if (**at == '?' && *repeats)
		return false;
	if (strncmp(*at, "(?", 2) == 0 && (*at)[2] != ':')
		return false;
	*repeats = strchr("*+?}", **at);
	buffer_append(out, *at, 1);
	*at += strncmp(*at, "(?:", 3) == 0 ? 3 : 1;
	return true;
}

/* Say in POSIX's words what Go's syntax has more: the caller frees it; NULL with an error. */
static char *translate(const char *pattern, struct error *err)
{
	cleanup_buffer struct buffer out = { 0 };
	bool repeats = false, is_known = true;

	for (const char *at = pattern; *at && is_known;) {
		if (*at == '[' || *at == '\\') {
			repeats = false;
			is_known = *at == '[' ? put_class(&out, &at) : put_escape(&out, &at);
		} else {
			is_known = put_other(&out, &at, &repeats);
		}
	}
	if (is_known)
		return buffer_take_text(&out);
	error_set(err, ERROR_USAGE,
		  "the pattern \"%s\" is more than POSIX's regular expressions have", pattern);
	return NULL;
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
	filter->patterns = xgrow(filter->patterns, filter->count, sizeof *filter->patterns);
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
