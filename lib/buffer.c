/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/buffer.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

static void make_room(struct buffer *buffer, size_t length)
{
	size_t held = buffer_length(buffer);

	if (length <= buffer->size - buffer->end)
		return;
	if (buffer->start > 0) {
		memmove(buffer->memory, buffer->memory + buffer->start, held);
		buffer->start = 0;
		buffer->end = held;
	}
	if (length <= buffer->size - held)
		return;

	size_t size = buffer->size ? buffer->size : 256;
	while (size - held < length)
		size *= 2;
	buffer->memory = xreallocarray(buffer->memory, size, 1);
	buffer->size = size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (length == 0)
		return;
	make_room(buffer, length);
	memcpy(buffer->memory + buffer->end, data, length);
	buffer->end += length;
}

void buffer_add(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

char *buffer_take_text(struct buffer *buffer)
{
	buffer_append(buffer, "", 1);

	char *text = (char *)buffer->memory;
	*buffer = (struct buffer){ 0 };
	return text;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
	buffer->start += length;
	if (buffer->start == buffer->end)
		buffer->start = buffer->end = 0;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->memory);
	*buffer = (struct buffer){ 0 };
}
