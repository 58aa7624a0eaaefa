/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/wire.h"

#include "lib/buffer.h"

enum { VARINT_MAX = 10 }; /* bytes of one */

int wire_malformed(struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "malformed protobuf");
}

int wire_read_varint(struct wire_reader *reader, uint64_t *value, struct error *err)
{
	uint64_t result = 0;

	for (unsigned i = 0; i < VARINT_MAX && reader->at < reader->end; i++) {
		unsigned char byte = *reader->at++;

		result |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*value = result;
			return 0;
		}
	}
	return wire_malformed(err);
}

static int read_fixed(struct wire_reader *reader, size_t size, uint64_t *value, struct error *err)
{
	if ((size_t)(reader->end - reader->at) < size)
		return wire_malformed(err);
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t)*reader->at++ << (8 * i);
	return 0;
}

static int read_bytes(struct wire_reader *reader, struct wire_reader *bytes, struct error *err)
{
	uint64_t length = 0;

	if (wire_read_varint(reader, &length, err) < 0)
		return -1;
	if (length > (uint64_t)(reader->end - reader->at))
		return wire_malformed(err);
	bytes->at = reader->at;
	bytes->end = reader->at += length;
	return 0;
}

int wire_read_value(struct wire_reader *reader, enum wire_type type, struct wire_value *value,
		    struct error *err)
{
	value->type = type;
	switch (type) {
	case WIRE_VARINT:
		return wire_read_varint(reader, &value->number, err);
	case WIRE_64BIT:
		return read_fixed(reader, 8, &value->number, err);
	case WIRE_32BIT:
		return read_fixed(reader, 4, &value->number, err);
	case WIRE_BYTES:
		return read_bytes(reader, &value->bytes, err);
	}
	return wire_malformed(err);
}

static void write_varint(struct buffer *out, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];
	size_t length = 0;

	do {
		bytes[length++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	buffer_append(out, bytes, length);
}

void wire_write_tag(struct buffer *out, uint32_t field, enum wire_type type)
{
	write_varint(out, (uint64_t)field << 3 | type);
}

void wire_write_number(struct buffer *out, enum wire_type type, uint64_t value)
{
	unsigned char bytes[8];
	size_t size = type == WIRE_64BIT ? 8 : 4;

	if (type == WIRE_VARINT) {
		write_varint(out, value);
		return;
	}
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	buffer_append(out, bytes, size);
}

void wire_write_bytes(struct buffer *out, const void *data, size_t length)
{
	write_varint(out, length);
	buffer_append(out, data, length);
}
