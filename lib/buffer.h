/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow at the end and are consumed at the front. Zero-initialised is empty. */
#pragma once
#include <stddef.h>

struct buffer {
	unsigned char *memory;
	size_t start, end, size; /* what is held is memory[start..end) */
};

static inline const unsigned char *buffer_data(const struct buffer *buffer)
{
	return buffer->memory ? buffer->memory + buffer->start : (const unsigned char *)"";
}

static inline size_t buffer_length(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length);

/* Append a text without its NUL. */
void buffer_add(struct buffer *buffer, const char *text);

/* What is held as a text, with a NUL behind, which the caller frees; the buffer is empty then.
 * Nothing must have been consumed. */
char *buffer_take_text(struct buffer *buffer);

/* Drop `length` bytes, no more than there are, from the front. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Release the memory; the buffer is empty and can be used again. */
void buffer_free(struct buffer *buffer);
#define cleanup_buffer __attribute__((cleanup(buffer_free)))
