/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sequence of JSON objects that arrive bit by bit: JSON Lines, or the same after jq(1) has spread
 * them over several lines. A pure parser: bytes go in, objects come out.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise it; free with json_stream_free(). */
struct json_stream {
	char *text;
	size_t length;
	size_t seen; /* bytes of text that were looked at; the fields below tell what they were */
	int depth;
	bool in_string, escaped;
};

void json_stream_add(struct json_stream *stream, const char *bytes, size_t length);

/* The next whole object: 1 with *object, which the caller owns; 0 when more bytes are needed; -1
 * when the bytes are no sequence of objects, or one is longer than JSON_DOCUMENT_MAX. */
int json_stream_next(struct json_stream *stream, json_t **object, struct error *err);

/* Whether nothing but white space is left: what must be true at the end of the input. */
bool json_stream_is_empty(const struct json_stream *stream);

void json_stream_free(struct json_stream *stream);
#define cleanup_json_stream __attribute__((cleanup(json_stream_free)))
