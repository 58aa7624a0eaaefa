/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/reference.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 255, TAG_MAX_LENGTH = 128, ID_LENGTH = 64 };

static bool is_lower_alnum(char c)
{
	return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* The length of a separator inside a path component at `text`: ".", "_", "__" or any number of
 * "-"; 0 where there is none. */
static size_t separator_length(const char *text)
{
	if (text[0] == '.')
		return 1;
	if (text[0] == '_')
		return text[1] == '_' ? 2 : 1;
	return strspn(text, "-");
}

/* One path component: alnum runs joined by separators. Returns its length, 0 where invalid. */
static size_t component_length(const char *text)
{
	size_t at = 0;

	for (;;) {
		size_t run = 0;

		while (is_lower_alnum(text[at + run]))
			run++;
		if (run == 0)
			return 0;
		at += run;
		size_t separator = separator_length(text + at);
		if (separator == 0)
			return at;
		at += separator;
	}
}

static bool repository_is_valid(const char *text)
{
	for (;;) {
		size_t length = component_length(text);

		if (length == 0)
			return false;
		if (text[length] == '\0')
			return true;
		if (text[length] != '/')
			return false;
		text += length + 1;
	}
}

bool reference_is_tag(const char *tag)
{
	size_t length = strlen(tag);

	if (length == 0 || length > TAG_MAX_LENGTH || tag[0] == '.' || tag[0] == '-')
		return false;
	for (; *tag; tag++)
		if (!isalnum((unsigned char)*tag) && !strchr("_.-", *tag))
			return false;
	return true;
}

/* Between 1 and 65535. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = digits > 0 && digits <= 5 ? strtoul(text, NULL, 10) : 0;

	return text[digits] == '\0' && port > 0 && port <= 65535;
}

/* HOST[:PORT] where HOST is labels joined by dots, or an IPv6 address in brackets. */
static bool registry_is_valid(const char *text)
{
	size_t at = 0;

	if (text[0] == '[') {
		at = 1 + strspn(text + 1, "0123456789abcdefABCDEF:");
		if (text[at++] != ']')
			return false;
	} else {
		while (isalnum((unsigned char)text[at]) || text[at] == '-' ||
		       (text[at] == '.' && at > 0 && text[at - 1] != '.'))
			at++;
		if (at == 0 || text[0] == '-' || text[at - 1] == '-' || text[at - 1] == '.')
			return false;
	}
	return text[at] == '\0' || (text[at] == ':' && is_port(text + at + 1));
}

static bool looks_like_registry(const char *text, size_t length)
{
	return (length == 9 && memcmp(text, "localhost", 9) == 0) || memchr(text, '.', length) ||
	       memchr(text, ':', length) || text[0] == '[';
}

static int invalid(const char *text, const char *why, struct error *err)
{
	error_set(err, ERROR_USAGE, "\"%s\" is not an image reference: %s", text, why);
	return error_subject(err, text);
}

/* Split "REGISTRY/REPOSITORY" and put in what docker leaves out. */
static void split_name(const char *name, struct reference *out)
{
	const char *slash = strchr(name, '/');

	if (slash && looks_like_registry(name, (size_t)(slash - name))) {
		out->registry = xstrndup(name, (size_t)(slash - name));
		out->repository = xstrdup(slash + 1);
		if (strcmp(out->registry, "index.docker.io") == 0) {
			free(out->registry);
			out->registry = xstrdup("docker.io");
		}
	} else {
		out->registry = xstrdup("docker.io");
		out->repository = xstrdup(name);
	}
	if (strcmp(out->registry, "docker.io") == 0 && !strchr(out->repository, '/')) {
		char *full = xasprintf("library/%s", out->repository);

		free(out->repository);
		out->repository = full;
	}
}

/* Such a name would be taken for the id of an image; distribution's parser refuses it, too. */
static bool is_bare_id(const char *text)
{
	size_t length = strlen(text);

	return length == ID_LENGTH && strspn(text, "0123456789abcdef") == length;
}

int reference_parse(const char *text, struct reference *reference, struct error *err)
{
	cleanup_reference struct reference out = { 0 };
	cleanup_free char *name = xstrdup(text);

	if (strlen(text) > NAME_MAX_LENGTH + TAG_MAX_LENGTH + DIGEST_SIZE + 2)
		return error_set(err, ERROR_USAGE, "an image reference of %zu bytes is too long",
				 strlen(text));

	if (is_bare_id(text))
		return invalid(text, "64 hexadecimal digits are an id", err);

	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		if (!digest_is_valid(at + 1))
			return invalid(text, "what follows @ is not a digest", err);
		out.digest = xstrdup(at + 1);
	}
	char *colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/') && colon > name) {
		*colon = '\0';
		if (!reference_is_tag(colon + 1))
			return invalid(text, "what follows : is not a tag", err);
		out.tag = xstrdup(colon + 1);
	}
	split_name(name, &out);
	if (!registry_is_valid(out.registry))
		return invalid(text, "the registry is not HOST[:PORT]", err);
	if (!repository_is_valid(out.repository))
		return invalid(text, "a repository is lower-case letters, digits and . _ - /", err);
	if (strlen(out.registry) + 1 + strlen(out.repository) > NAME_MAX_LENGTH)
		return invalid(text, "its name has more than 255 bytes", err);
	*reference = out;
	out = (struct reference){ 0 };
	return 0;
}

void reference_free(struct reference *reference)
{
	free(reference->registry);
	free(reference->repository);
	free(reference->tag);
	free(reference->digest);
	*reference = (struct reference){ 0 };
}

void reference_default_tag(struct reference *reference)
{
	if (!reference->tag && !reference->digest)
		reference->tag = xstrdup("latest");
}

void reference_settle(struct reference *reference)
{
	reference_default_tag(reference);
	if (!reference->digest)
		return;
	free(reference->tag);
	reference->tag = NULL;
}

char *reference_name(const struct reference *reference)
{
	return xasprintf("%s/%s", reference->registry, reference->repository);
}

char *reference_text(const struct reference *reference)
{
	const char *tag = reference->tag, *digest = reference->digest;

	return xasprintf("%s/%s%s%s%s%s", reference->registry, reference->repository,
			 tag ? ":" : "", tag ? tag : "", digest ? "@" : "", digest ? digest : "");
}
