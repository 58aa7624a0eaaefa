/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/json_stream.h"

#include "lib/json.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

static const char white_space[] = " \t\r\n";

void json_stream_add(struct json_stream *stream, const char *bytes, size_t length)
{
	stream->text = xreallocarray(stream->text, stream->length + length + 1, 1);
	memcpy(stream->text + stream->length, bytes, length);
	stream->length += length;
	stream->text[stream->length] = '\0';
}

static void drop(struct json_stream *stream, size_t count)
{
	stream->length -= count;
	memmove(stream->text, stream->text + count, stream->length + 1);
	stream->seen = 0;
}

static size_t leading_space(const struct json_stream *stream)
{
	size_t count = 0;

	/* a NUL is no white space, though strchr() finds it */
	while (count < stream->length && stream->text[count] &&
	       strchr(white_space, stream->text[count]))
		count++;
	return count;
}

/* Look at one more byte; true when it ends the object. */
static bool ends_with(struct json_stream *stream, char c)
{
	if (stream->in_string) {
		if (stream->escaped)
			stream->escaped = false;
		else if (c == '\\')
			stream->escaped = true;
		else if (c == '"')
			stream->in_string = false;
		return false;
	}
	if (c == '"')
		stream->in_string = true;
	else if (c == '{' || c == '[')
		stream->depth++;
	else if (c == '}' || c == ']')
		return --stream->depth <= 0;
	return false;
}

int json_stream_next(struct json_stream *stream, json_t **object, struct error *err)
{
	static const char what[] = "standard input";

	if (stream->seen == 0 && stream->length > 0)
		drop(stream, leading_space(stream));
	if (stream->length == 0)
		return 0;
	if (stream->text[0] != '{')
		return error_set(err, ERROR_INTEGRITY, "%s: not JSON objects", what);
	while (stream->seen < stream->length) {
		if (!ends_with(stream, stream->text[stream->seen++]))
			continue;

		json_t *parsed = json_parse(stream->text, stream->seen, what, err);
		if (!parsed)
			return -1;
		drop(stream, stream->seen);
		stream->depth = 0;
		*object = parsed;
		return 1;
	}
	if (stream->length > JSON_DOCUMENT_MAX)
		return error_set(err, ERROR_LIMIT, "%s: an object of more than %d bytes", what,
				 JSON_DOCUMENT_MAX);
	return 0;
}

bool json_stream_is_empty(const struct json_stream *stream)
{
	return leading_space(stream) == stream->length;
}

void json_stream_free(struct json_stream *stream)
{
	free(stream->text);
	*stream = (struct json_stream){ 0 };
}
