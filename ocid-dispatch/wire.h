/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf's wire format (protobuf.dev, "Encoding"), without meaning. */
#pragma once
#include "lib/error.h"

#include <stddef.h>
#include <stdint.h>

struct buffer;

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

/* Bytes that are still to be read. */
struct wire_reader {
	const unsigned char *at, *end;
};

/* The value of a field as it stands there. */
struct wire_value {
	enum wire_type type;
	uint64_t number; /* of the numeric types */
	struct wire_reader bytes;
};

/* ERROR_INTEGRITY "malformed protobuf". Returns -1. */
int wire_malformed(struct error *err);

/* Read from the front, or fail with wire_malformed(). Groups, which proto3 does not have, and
 * unknown types are malformed. */
int wire_read_varint(struct wire_reader *reader, uint64_t *value, struct error *err);
int wire_read_value(struct wire_reader *reader, enum wire_type type, struct wire_value *value,
		    struct error *err);

/* Append. A number takes the form of its type, which is not WIRE_BYTES. */
void wire_write_tag(struct buffer *out, uint32_t field, enum wire_type type);
void wire_write_number(struct buffer *out, enum wire_type type, uint64_t value);
void wire_write_bytes(struct buffer *out, const void *data, size_t length);
