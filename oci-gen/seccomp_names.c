/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/seccomp_names.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "\"names\"";

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at)
{
	while (is_space(*at))
		at++;
	return at;
}

/* What is behind the name at a quote, NULL where that is anything else. */
static const char *name_end(const char *at)
{
	static const bool of_name[256] = {
		['a' ... 'z'] = true, ['0' ... '9'] = true, ['_'] = true
	};
	const char *end = at + 1;

	if (*at != '"')
		return NULL;
	while (of_name[(unsigned char)*end])
		end++;
	return *end == '"' && end > at + 1 ? end + 1 : NULL;
}

/* The bracket that ends the list behind the other one; NULL where that is no list of plain names.
 */
static const char *list_end(const char *at)
{
	do {
		at = name_end(skip_space(at + 1));
		if (!at)
			return NULL;
		at = skip_space(at);
	} while (*at == ',');
	return *at == ']' ? at : NULL;
}

/* Of a list that list_end() has seen: everything but space is above it. */
static void add_list(struct strings *lists, const char *from, const char *end)
{
	cleanup_free char *list = xcalloc((size_t)(end - from) + 1, 1);

	for (char *to = list; from < end; from++)
		if (*from > ' ')
			*to++ = *from;
	strings_add(lists, list);
}

/* Move the list behind a key, where there is one; returns what is behind both. */
static const char *take_list(const char *at, struct buffer *out, struct strings *lists)
{
	const char *colon = skip_space(at);
	const char *bracket = *colon == ':' ? skip_space(colon + 1) : NULL;
	const char *end = bracket && *bracket == '[' ? list_end(bracket) : NULL;

	if (!end)
		return at;

	cleanup_free char *place = xasprintf(":[\"#%zu\"]", lists->count);
	buffer_add(out, place);
	add_list(lists, bracket + 1, end);
	return end + 1;
}

/* Copy the string at a quote, but for a list of which it is the key; returns what is behind. NULL
 * where the string has no end. */
static const char *copy_string(const char *at, struct buffer *out, struct strings *lists)
{
	const char *end = strchr(at + 1, '"');

	if (!end)
		return NULL;

	size_t length = (size_t)(++end - at);
	buffer_append(out, at, length);
	if (length == strlen(key) && memcmp(at, key, length) == 0)
		return take_list(end, out, lists);
	return end;
}

char *seccomp_names_take(const char *text, size_t length, size_t *taken_length,
			 struct strings *lists)
{
	cleanup_buffer struct buffer out = { 0 };
	const char *at = text;

	/* no escape can hide a key or a quote, and nothing else looks like what stands for a list
	 */
	if (memchr(text, '\\', length) || memchr(text, '#', length) || memchr(text, '\0', length))
		return NULL;
	while (at && *at) {
		size_t plain = strcspn(at, "\" \t\n\r");

		buffer_append(&out, at, plain);
		at += plain;
		/* one space stays: numbers on both sides of it are two */
		if (*at && *at != '"') {
			buffer_add(&out, " ");
			at = skip_space(at);
		} else if (*at) {
			at = copy_string(at, &out, lists);
		}
	}
	if (!at) {
		strings_free(lists);
		return NULL;
	}
	*taken_length = buffer_length(&out);
	return buffer_take_text(&out);
}

json_t *seccomp_names_add(struct strings *lists, const char *names)
{
	size_t words = 1;

	for (const char *at = strchr(names, ' '); at; at = strchr(at + 1, ' '))
		words++;

	size_t size = strlen(names) + words * strlen("\"\"") + 1;
	cleanup_free char *text = xcalloc(size, 1);
	char *to = stpcpy(text, "\"");

	for (; *names; names++)
		to = *names == ' ' ? mempcpy(to, "\",\"", 3) : mempcpy(to, names, 1);
	*to = '"';

	cleanup_free char *place = xasprintf("#%zu", lists->count);
	strings_add(lists, text);
	return json_pack("[s]", place);
}

char *seccomp_names_text(const json_t *filter, const struct strings *lists)
{
	static const char place[] = "\"#";
	cleanup_free char *text = json_compact(filter);
	struct buffer out = { 0 };
	char *from = text, *at;

	if (lists->count == 0)
		return steal_ptr(&text);
	while ((at = strstr(from, place))) {
		buffer_append(&out, from, (size_t)(at - from));
		buffer_add(&out, lists->items[strtoul(at + strlen(place), &from, 10)]);
		from++; /* the closing quote */
	}
	buffer_add(&out, from);
	return buffer_take_text(&out);
}

void seccomp_names_restore(json_t *filter, struct strings *lists)
{
	if (filter && lists->count > 0) {
		cleanup_free char *text = seccomp_names_text(filter, lists);
		json_auto_t *whole = json_loads(text, 0, NULL);

		json_object_update(filter, whole);
	}
	strings_free(lists);
}
