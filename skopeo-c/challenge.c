/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/challenge.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* Read a token or a quoted string at *at and move past it; NULL where there is neither. The caller
 * frees it. */
static char *read_word(const char **at)
{
	const char *p = *at;

	if (*p != '"') {
		size_t length = 0;

		while (is_token(p[length]) || p[length] == '/' || p[length] == ':')
			length++;
		*at = p + length;
		return length ? xstrndup(p, length) : NULL;
	}
	char *text = xcalloc(strlen(p), 1);
	size_t used = 0;
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		text[used++] = *p;
	}
	if (*p != '"') {
		free(text);
		return NULL;
	}
	*at = p + 1;
	return text;
}

static void set_parameter(struct challenge *challenge, const char *name, char *value)
{
	char **field = strcasecmp(name, "realm") == 0	  ? &challenge->realm
		       : strcasecmp(name, "service") == 0 ? &challenge->service
		       : strcasecmp(name, "scope") == 0	  ? &challenge->scope
							  : NULL;

	if (!field || *field) {
		free(value);
		return;
	}
	*field = value;
}

/* Read "name=value" at *at. False, with *at unmoved, when that is not what stands there: then it
 * is the scheme of the next challenge. */
static bool read_parameter(const char **at, struct challenge *challenge)
{
	const char *p = *at;
	size_t length = 0;

	while (is_token(p[length]))
		length++;
	cleanup_free char *name = xstrndup(p, length);
	p = skip_space(p + length);
	if (length == 0 || *p != '=')
		return false;
	p = skip_space(p + 1);
	char *value = read_word(&p);
	if (!value)
		return false;
	set_parameter(challenge, name, value);
	*at = p;
	return true;
}

static enum challenge_scheme scheme_of(const char *name, size_t length)
{
	if (length == 6 && strncasecmp(name, "Bearer", 6) == 0)
		return CHALLENGE_BEARER;
	if (length == 5 && strncasecmp(name, "Basic", 5) == 0)
		return CHALLENGE_BASIC;
	return CHALLENGE_OTHER;
}

bool challenge_parse(const char *value, struct challenge *challenge)
{
	struct challenge best = { 0 };
	const char *at = value;

	for (;;) {
		struct challenge next = { 0 };
		size_t length = 0;

		at += strspn(at, " \t,");
		while (is_token(at[length]))
			length++;
		if (length == 0)
			break;
		next.scheme = scheme_of(at, length);
		at += length;
		do
			at += strspn(at, " \t,");
		while (read_parameter(&at, &next));
		if (next.scheme > best.scheme) {
			challenge_free(&best);
			best = next;
		} else {
			challenge_free(&next);
		}
	}
	if (best.scheme == CHALLENGE_OTHER) {
		challenge_free(&best);
		return false;
	}
	*challenge = best;
	return true;
}

void challenge_free(struct challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = (struct challenge){ 0 };
}

/* True when the parameters of a link at `at` (up to the next link) say rel=next. */
static bool is_next(const char *at)
{
	while (*at == ';' || *at == ' ' || *at == '\t') {
		size_t length = 0;

		at += strspn(at, "; \t");
		while (is_token(at[length]))
			length++;
		bool is_rel = length == 3 && strncasecmp(at, "rel", 3) == 0;
		at = skip_space(at + length);
		if (length == 0 || *at != '=')
			return false;
		at = skip_space(at + 1);
		cleanup_free char *value = read_word(&at);
		if (!value)
			return false;
		if (is_rel && strcasecmp(value, "next") == 0)
			return true;
	}
	return false;
}

char *link_next(const char *value)
{
	for (const char *at = value; (at = strchr(at, '<'));) {
		const char *end = strchr(at, '>');

		if (!end)
			return NULL;
		if (is_next(skip_space(end + 1)))
			return xstrndup(at + 1, (size_t)(end - at - 1));
		at = end + 1;
	}
	return NULL;
}
