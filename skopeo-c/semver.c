/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/semver.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 160 };

/* ---- versions ---- */

static bool is_identifier_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.';
}

static bool is_wildcard(char c)
{
	return c == 'x' || c == 'X' || c == '*';
}

/* Up to three numbers with points between them; *rest is what follows. Where `wild` any of them may
 * be x or *, and then it and those after it count for nothing. */
static bool parse_numbers(const char *text, bool wild, struct semver *version, const char **rest)
{
	bool is_open = false;

	*version = (struct semver){ 0 };
	for (int part = 0; part < 3; part++) {
		unsigned long long number = 0;

		if (wild && is_wildcard(*text)) {
			is_open = true;
			text++;
		} else {
			char *end;

			if (!isdigit((unsigned char)*text))
				return false;
			errno = 0;
			number = strtoull(text, &end, 10);
			if (errno == ERANGE)
				return false;
			text = end;
		}
		if (!is_open)
			version->numbers[version->count++] = number;
		if (*text != '.')
			break;
		text++;
	}
	*rest = text;
	return text[-1] != '.';
}

/* Identifiers between points: none is empty, and no number begins with a 0 (semver.org, 9). */
static bool is_prerelease(const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ".");

		if (length == 0 ||
		    (length > 1 && text[0] == '0' && strspn(text, "0123456789") == length))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

static bool parse(const char *text, bool wild, struct semver *version)
{
	const char *rest;

	if (*text == 'v')
		text++;
	if (!parse_numbers(text, wild, version, &rest))
		return false;
	if (*rest == '-') {
		size_t length = 0;

		while (is_identifier_char(rest[1 + length]))
			length++;
		if (length == 0 || length >= sizeof version->prerelease)
			return false;
		memcpy(version->prerelease, rest + 1, length);
		version->prerelease[length] = '\0';
		if (!is_prerelease(version->prerelease))
			return false;
		rest += 1 + length;
	}
	if (*rest == '+')
		for (rest++; is_identifier_char(*rest); rest++)
			;
	return *rest == '\0';
}

bool semver_parse(const char *text, struct semver *version)
{
	return parse(text, false, version);
}

static int compare_numbers(unsigned long long one, unsigned long long other)
{
	return one < other ? -1 : one > other;
}

/* Identifiers between points: numbers by value and below words (semver.org, 11.4). */
static int compare_prereleases(const char *one, const char *other)
{
	while (*one && *other) {
		size_t a = strcspn(one, "."), b = strcspn(other, ".");
		bool a_number = strspn(one, "0123456789") >= a;
		bool b_number = strspn(other, "0123456789") >= b;
		int order = 0;

		if (a_number && b_number)
			order = compare_numbers(strtoull(one, NULL, 10), strtoull(other, NULL, 10));
		else if (a_number != b_number)
			order = a_number ? -1 : 1;
		else if ((order = strncmp(one, other, a < b ? a : b)) == 0)
			order = a < b ? -1 : a > b;
		if (order)
			return order;
		one += a + (one[a] == '.');
		other += b + (other[b] == '.');
	}
	return *one ? 1 : *other ? -1 : 0;
}

static int compare_first(const struct semver *one, const struct semver *other, int count)
{
	for (int i = 0; i < count; i++)
		if (one->numbers[i] != other->numbers[i])
			return compare_numbers(one->numbers[i], other->numbers[i]);
	return 0;
}

int semver_compare(const struct semver *one, const struct semver *other)
{
	int order = compare_first(one, other, 3);

	if (order)
		return order;
	if (!one->prerelease[0] || !other->prerelease[0])
		return (one->prerelease[0] == '\0') - (other->prerelease[0] == '\0');
	return compare_prereleases(one->prerelease, other->prerelease);
}

/* ---- conditions ---- */

enum operator{ EQUAL, UNEQUAL, LESS, AT_MOST, GREATER, AT_LEAST, TILDE, CARET };

struct condition {
	enum operator operator;
	struct semver version;
};

static const struct {
	const char *text;
	enum operator operator;
} operators[] = {
	{ "!=", UNEQUAL }, { ">=", AT_LEAST }, { "=>", AT_LEAST }, { "<=", AT_MOST },
	{ "=<", AT_MOST }, { "~>", TILDE },    { ">", GREATER },   { "<", LESS },
	{ "=", EQUAL },	   { "~", TILDE },     { "^", CARET },
};

static bool is_same(const struct semver *version, const struct semver *limit, int count)
{
	return compare_first(version, limit, count) == 0;
}

/* Of 1.2 any prerelease is another version, of 1 none. */
static bool is_unequal(const struct semver *version, const struct semver *limit)
{
	if (limit->count == 1)
		return !is_same(version, limit, 1);
	if (limit->count == 2)
		return !is_same(version, limit, 2) ||
		       compare_prereleases(version->prerelease, limit->prerelease) != 0;
	return semver_compare(version, limit) != 0;
}

static bool is_greater(const struct semver *version, const struct semver *limit)
{
	if (limit->count == 1 || limit->count == 2)
		return compare_first(version, limit, limit->count) > 0;
	return semver_compare(version, limit) > 0;
}

/* With the same first number, and the second where there is one; after 0.0.0 comes anything. */
static bool is_near(const struct semver *version, const struct semver *limit)
{
	const struct semver zero = { 0 };

	if (semver_compare(version, limit) < 0)
		return false;
	if ((limit->count == 3 || limit->count == 0) && is_same(limit, &zero, 3))
		return true;
	return is_same(version, limit, limit->count == 1 ? 1 : 2);
}

/* With the same numbers up to the first that is not 0. */
static bool is_compatible(const struct semver *version, const struct semver *limit)
{
	int kept = limit->numbers[0] > 0 || limit->count == 1	? 1
		   : limit->numbers[1] > 0 || limit->count == 2 ? 2
								: 3;

	return semver_compare(version, limit) >= 0 && is_same(version, limit, kept);
}

/* As github.com/Masterminds/semver v3 has it, which skopeo and Helm use, with what is odd there. */
static bool condition_holds(const struct condition *condition, const struct semver *version,
			    bool prereleases)
{
	const struct semver *limit = &condition->version;
	bool is_whole = limit->count == 3;

	if (version->prerelease[0] && !prereleases)
		return false;
	switch (condition->operator) {
	case EQUAL:
		return is_whole ? semver_compare(version, limit) == 0 : is_near(version, limit);
	case UNEQUAL:
		return is_unequal(version, limit);
	case LESS:
		return semver_compare(version, limit) < 0;
	case AT_MOST:
		return is_whole ? semver_compare(version, limit) <= 0
				: compare_first(version, limit, limit->count == 1 ? 1 : 2) <= 0;
	case GREATER:
		return is_greater(version, limit);
	case AT_LEAST:
		return semver_compare(version, limit) >= 0;
	case TILDE:
		return is_near(version, limit);
	case CARET:
		return is_compatible(version, limit);
	}
	return false;
}

static bool parse_condition(const char *word, struct condition *condition)
{
	*condition = (struct condition){ .operator= EQUAL };
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		size_t length = strlen(operators[i].text);

		if (strncmp(word, operators[i].text, length) == 0) {
			condition->operator= operators[i].operator;
			word += length;
			break;
		}
	}
	while (*word == ' ')
		word++;
	return parse(word, true, &condition->version);
}

/* ---- constraints ---- */

/* The next condition of an alternative, which an operator and its version make, with or without
 * spaces between them. Returns what follows. */
static const char *next_word(const char *text, char word[static WORD_SIZE])
{
	size_t used = 0;

	text += strspn(text, " ,");
	while (*text && strchr("=!<>~^", *text) && used + 2 < WORD_SIZE)
		word[used++] = *text++;
	text += strspn(text, " ");
	while (*text && !strchr(" ,|=!<>~^", *text) && used + 1 < WORD_SIZE)
		word[used++] = *text++;
	word[used] = '\0';
	return text;
}

/* "1.2 - 1.4": whether that is what stands here. */
static const char *range_end(const char *after)
{
	const char *dash = after + strspn(after, " ");

	return dash > after && dash[0] == '-' && dash[1] == ' ' ? dash + 1 : NULL;
}

/* Whether all conditions up to "||" or the end hold; *valid becomes false where one is none,
 * *prereleases true where one names a prerelease: then they count for all. *rest is what follows.
 */
static bool alternative_holds(const char *text, const struct semver *version, bool *prereleases,
			      bool *valid, const char **rest)
{
	bool holds = true;
	int count = 0;

	for (;;) {
		char word[WORD_SIZE];
		struct condition condition;

		text += strspn(text, " ,");
		if (!*text || *text == '|')
			break;
		text = next_word(text, word);
		if (!parse_condition(word, &condition)) {
			*valid = false;
			break;
		}
		*prereleases = *prereleases || condition.version.prerelease[0];
		const char *end = range_end(text);
		if (end) {
			condition.operator= AT_LEAST;
			holds = holds && condition_holds(&condition, version, *prereleases);
			text = next_word(end, word);
			*valid = *valid && parse_condition(word, &condition);
			condition.operator= AT_MOST;
			*prereleases = *prereleases || condition.version.prerelease[0];
		}
		holds = holds && condition_holds(&condition, version, *prereleases);
		count++;
	}
	*valid = *valid && count > 0;
	*rest = text;
	return holds;
}

/* 1 or 0, or -1 for what is no constraint. */
static int judge(const char *constraint, const struct semver *version)
{
	bool valid = true, met = false;

	for (const char *text = constraint;; text += 2) {
		bool prereleases = false;
		const char *rest;

		/* first to learn whether one of them names a prerelease */
		alternative_holds(text, version, &prereleases, &valid, &rest);
		met = alternative_holds(text, version, &prereleases, &valid, &text) || met;
		if (!valid || (*text && strncmp(text, "||", 2) != 0))
			return -1;
		if (!*text)
			return met;
	}
}

int semver_check_constraint(const char *constraint, struct error *err)
{
	const struct semver any = { .count = 3 };

	if (judge(constraint, &any) >= 0)
		return 0;
	return error_set(err, ERROR_USAGE, "\"%s\" is no constraint on versions", constraint);
}

bool semver_meets(const struct semver *version, const char *constraint)
{
	return judge(constraint, version) == 1;
}
