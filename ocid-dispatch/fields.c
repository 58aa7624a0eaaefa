/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/fields.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

enum { METHOD, SCHEME, PATH, AUTHORITY, PSEUDO_FIELDS };

static const char *const pseudo_fields[PSEUDO_FIELDS] = { ":method", ":scheme", ":path",
							  ":authority" };

/* Of one connection, which HTTP/2 has no use for. */
static const char *const refused[] = { "connection", "keep-alive", "proxy-connection",
				       "transfer-encoding", "upgrade" };

static bool is_text(const uint8_t *bytes, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(bytes, text, length) == 0;
}

/* Each once, before all that are no pseudo-header fields. */
static bool take_pseudo(struct fields *fields, const uint8_t *name, size_t length)
{
	for (unsigned i = 0; i < PSEUDO_FIELDS; i++) {
		if (!is_text(name, length, pseudo_fields[i]))
			continue;
		bool fresh = !fields->regular && !(fields->seen & 1U << i);
		fields->seen |= 1U << i;
		return fresh;
	}
	return false;
}

bool fields_take(struct fields *fields, const uint8_t *name, size_t name_length,
		 const uint8_t *value, size_t value_length)
{
	if (!nghttp2_check_header_name(name, name_length) ||
	    !nghttp2_check_header_value(value, value_length))
		return false;
	if (name[0] == ':')
		return take_pseudo(fields, name, name_length);
	fields->regular = true;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (is_text(name, name_length, refused[i]))
			return false;
	return !is_text(name, name_length, "te") || is_text(value, value_length, "trailers");
}

bool fields_are_complete(const struct fields *fields)
{
	const unsigned needed = 1U << METHOD | 1U << SCHEME | 1U << PATH;

	return (fields->seen & needed) == needed;
}
