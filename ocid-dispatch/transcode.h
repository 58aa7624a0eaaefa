/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf messages to JSON and back, by protobuf's own JSON mapping (protobuf.dev, "ProtoJSON
 * Format"): lowerCamelCase names, enum values by name, 64-bit integers as strings, bytes as base64,
 * maps as objects. protobuf-c's descriptors say which fields there are; the bytes are read and
 * written here, since its structs cannot hold a string with a NUL in it and cost hundreds of bytes
 * for an element that takes two on the wire.
 *
 * Bounded: nesting, and the number of values in one message. Fields that a descriptor does not
 * have are dropped, both ways.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer;

enum {
	TRANSCODE_DEPTH_MAX = 32,
	TRANSCODE_VALUES_MAX = 1 << 19,
};

/* Read a message. Fields that have their default value are left out, unless `defaults` asks for
 * those that always have a value (all but messages and members of a oneof). ERROR_INTEGRITY for
 * malformed bytes, for strings that are not UTF-8 or hold a NUL. The caller owns the object. */
json_t *transcode_decode(const ProtobufCMessageDescriptor *descriptor, const void *data,
			 size_t length, bool defaults, struct error *err);

/* Append the message that the object stands for to `out`. Numbers may also be strings, names may
 * also be those of the .proto file; null is a field left out. ERROR_USAGE, with the path of the
 * field, for a value that does not fit its field. */
int transcode_encode(const ProtobufCMessageDescriptor *descriptor, const json_t *object,
		     struct buffer *out, struct error *err);
