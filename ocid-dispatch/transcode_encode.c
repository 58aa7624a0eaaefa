/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base64.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-dispatch/transcode.h"
#include "ocid-dispatch/transcode_field.h"
#include "ocid-dispatch/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int encode_message(const ProtobufCMessageDescriptor *descriptor, const json_t *object,
			  struct buffer *out, int depth, struct error *err);

static int mismatch(struct error *err, const char *wanted)
{
	return error_set(err, ERROR_USAGE, "is not %s", wanted);
}

/* ---- numbers from JSON ---- */

static int parse_int64(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoimax(text, &end, 10);
	return errno || end == text || *end || strchr(" \t\n\v\f\r", *text) ? -1 : 0;
}

static int parse_uint64(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoumax(text, &end, 10);
	return errno || end == text || *end || strspn(text, "0123456789") == 0 ? -1 : 0;
}

/* The integer that a real is, or -1 for one that has a fraction or more than 53 bits. */
static int whole_real(double real, int64_t *value)
{
	const double beyond = 9007199254740992.0; /* 2^53 */

	if (!(real < beyond) || !(real > -beyond))
		return -1;
	*value = (int64_t)real;
	return (double)*value == real ? 0 : -1;
}

static int signed_number(const json_t *json, int64_t min, int64_t max, int64_t *value)
{
	int parsed = 0;

	if (json_is_integer(json))
		*value = json_integer_value(json);
	else if (json_is_real(json))
		parsed = whole_real(json_real_value(json), value);
	else
		parsed = json_is_string(json) ? parse_int64(json_string_value(json), value) : -1;
	return parsed < 0 || *value < min || *value > max ? -1 : 0;
}

static int unsigned_number(const json_t *json, uint64_t max, uint64_t *value)
{
	int64_t small;

	if (json_is_string(json)) {
		if (parse_uint64(json_string_value(json), value) < 0)
			return -1;
	} else {
		if (signed_number(json, 0, INT64_MAX, &small) < 0)
			return -1;
		*value = (uint64_t)small;
	}
	return *value > max ? -1 : 0;
}

static int floating_number(const json_t *json, double *value)
{
	const char *text = json_string_value(json);
	char *end;

	if (json_is_number(json)) {
		*value = json_number_value(json);
		return 0;
	}
	if (!text)
		return -1;
	if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
	    strcmp(text, "-Infinity") == 0) {
		*value = strtod(text, NULL);
		return 0;
	}
	if (!*text || text[strspn(text, "+-.0123456789eE")])
		return -1;
	*value = strtod(text, &end);
	return *end || isinf(*value) ? -1 : 0;
}

static int enum_number(const ProtobufCEnumDescriptor *descriptor, const json_t *json,
		       int64_t *number, struct error *err)
{
	if (json_is_string(json)) {
		const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
			descriptor, json_string_value(json));

		if (!value)
			return error_set(err, ERROR_USAGE, "\"%s\" is not a %s",
					 json_string_value(json), descriptor->short_name);
		*number = value->value;
		return 0;
	}
	if (signed_number(json, INT32_MIN, INT32_MAX, number) < 0)
		return mismatch(err, "a name or number of its enumeration");
	return 0;
}

static int float_bits(const json_t *json, bool is_float, uint64_t *bits, struct error *err)
{
	double value;
	float narrow;
	uint32_t narrow_bits;

	if (floating_number(json, &value) < 0)
		return mismatch(err, "a number");
	if (!is_float) {
		memcpy(bits, &value, sizeof value);
		return 0;
	}
	narrow = (float)value;
	if (isinf(narrow) && !isinf(value))
		return mismatch(err, "in the range of its type");
	memcpy(&narrow_bits, &narrow, sizeof narrow);
	*bits = narrow_bits;
	return 0;
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static int integer_bits(const json_t *json, int64_t min, int64_t max, bool zig, uint64_t *bits,
			struct error *err)
{
	int64_t number = 0;

	if (signed_number(json, min, max, &number) < 0)
		return mismatch(err, "an integer in the range of its type");
	*bits = zig ? zigzag(number) : (uint64_t)number;
	return 0;
}

/* The value of a numeric field as it goes on the wire. */
static int number_bits(const ProtobufCFieldDescriptor *field, const json_t *json, uint64_t *bits,
		       struct error *err)
{
	int64_t number = 0;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return integer_bits(json, INT32_MIN, INT32_MAX, false, bits, err);
	case PROTOBUF_C_TYPE_SINT32:
		return integer_bits(json, INT32_MIN, INT32_MAX, true, bits, err);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return integer_bits(json, INT64_MIN, INT64_MAX, false, bits, err);
	case PROTOBUF_C_TYPE_SINT64:
		return integer_bits(json, INT64_MIN, INT64_MAX, true, bits, err);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		if (unsigned_number(json,
				    field->type == PROTOBUF_C_TYPE_UINT32 ||
						    field->type == PROTOBUF_C_TYPE_FIXED32
					    ? UINT32_MAX
					    : UINT64_MAX,
				    bits) < 0)
			return mismatch(err, "an unsigned integer in the range of its type");
		return 0;
	case PROTOBUF_C_TYPE_ENUM:
		if (enum_number(field->descriptor, json, &number, err) < 0)
			return -1;
		*bits = (uint64_t)number;
		return 0;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return float_bits(json, field->type == PROTOBUF_C_TYPE_FLOAT, bits, err);
	default:
		if (!json_is_boolean(json))
			return mismatch(err, "true or false");
		*bits = json_is_true(json);
		return 0;
	}
}

/* ---- fields ---- */

static int write_base64(struct buffer *out, const json_t *json, struct error *err)
{
	size_t length = json_string_length(json);
	cleanup_free unsigned char *data = xcalloc(length / 4 + 1, 3);
	ssize_t decoded = base64_decode(json_string_value(json), length, data);

	if (decoded < 0)
		return mismatch(err, "base64");
	wire_write_bytes(out, data, (size_t)decoded);
	return 0;
}

static int write_message(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
			 struct buffer *out, int depth, struct error *err)
{
	cleanup_buffer struct buffer message = { 0 };

	if (encode_message(descriptor, json, &message, depth + 1, err) < 0)
		return -1;
	wire_write_bytes(out, buffer_data(&message), buffer_length(&message));
	return 0;
}

/* One value without its tag. */
static int write_value(const ProtobufCFieldDescriptor *field, const json_t *json,
		       struct buffer *out, int depth, struct error *err)
{
	uint64_t bits = 0;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return write_message(field->descriptor, json, out, depth, err);
	if (field_wire_type(field) == WIRE_BYTES) {
		if (!json_is_string(json))
			return mismatch(err, "a string");
		if (field->type == PROTOBUF_C_TYPE_BYTES)
			return write_base64(out, json, err);
		wire_write_bytes(out, json_string_value(json), json_string_length(json));
		return 0;
	}
	if (number_bits(field, json, &bits, err) < 0)
		return -1;
	wire_write_number(out, field_wire_type(field), bits);
	return 0;
}

static int encode_packed(const ProtobufCFieldDescriptor *field, const json_t *array,
			 struct buffer *out, struct error *err)
{
	cleanup_buffer struct buffer packed = { 0 };

	for (size_t i = 0; i < json_array_size(array); i++)
		if (write_value(field, json_array_get(array, i), &packed, 0, err) < 0)
			return error_prefix(err, "[%zu]", i);
	if (buffer_length(&packed) == 0)
		return 0;
	wire_write_tag(out, field->id, WIRE_BYTES);
	wire_write_bytes(out, buffer_data(&packed), buffer_length(&packed));
	return 0;
}

static int encode_repeated(const ProtobufCFieldDescriptor *field, const json_t *array,
			   struct buffer *out, int depth, struct error *err)
{
	if (!json_is_array(array))
		return mismatch(err, "an array");
	if (field_wire_type(field) != WIRE_BYTES)
		return encode_packed(field, array, out, err);
	for (size_t i = 0; i < json_array_size(array); i++) {
		wire_write_tag(out, field->id, WIRE_BYTES);
		if (write_value(field, json_array_get(array, i), out, depth, err) < 0)
			return error_prefix(err, "[%zu]", i);
	}
	return 0;
}

static json_t *json_of_key(const ProtobufCFieldDescriptor *field, const char *key)
{
	if (field->type == PROTOBUF_C_TYPE_BOOL && strcmp(key, "true") == 0)
		return json_true();
	if (field->type == PROTOBUF_C_TYPE_BOOL && strcmp(key, "false") == 0)
		return json_false();
	return json_string(key);
}

static int encode_entry(const ProtobufCMessageDescriptor *entry, const char *key,
			const json_t *value, struct buffer *out, int depth, struct error *err)
{
	const ProtobufCFieldDescriptor *fields = entry->fields;
	json_auto_t *json_key = json_of_key(&fields[0], key);

	wire_write_tag(out, fields[0].id, field_wire_type(&fields[0]));
	if (write_value(&fields[0], json_key, out, depth, err) < 0)
		return error_prefix(err, "key");
	wire_write_tag(out, fields[1].id, field_wire_type(&fields[1]));
	return write_value(&fields[1], value, out, depth, err);
}

static int encode_map(const ProtobufCFieldDescriptor *field,
		      const ProtobufCMessageDescriptor *entry, const json_t *map,
		      struct buffer *out, int depth, struct error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(map))
		return mismatch(err, "an object");
	json_object_foreach ((json_t *)map, key, value) {
		cleanup_buffer struct buffer pair = { 0 };

		if (encode_entry(entry, key, value, &pair, depth + 1, err) < 0)
			return error_prefix(err, "\"%s\"", key);
		wire_write_tag(out, field->id, WIRE_BYTES);
		wire_write_bytes(out, buffer_data(&pair), buffer_length(&pair));
	}
	return 0;
}

/* True where `value`, as write_value() has written it, is the default. */
static bool is_zero(const struct buffer *value)
{
	const unsigned char *data = buffer_data(value);

	for (size_t i = 0; i < buffer_length(value); i++)
		if (data[i])
			return false;
	return true;
}

static int encode_single(const ProtobufCFieldDescriptor *field, const json_t *json,
			 struct buffer *out, int depth, struct error *err)
{
	cleanup_buffer struct buffer value = { 0 };

	if (write_value(field, json, &value, depth, err) < 0)
		return -1;
	/* a string's or a varint's zero is one byte, a default one; "\0" has its length before it
	 */
	if (field_has_default(field) && is_zero(&value))
		return 0;
	wire_write_tag(out, field->id, field_wire_type(field));
	buffer_append(out, buffer_data(&value), buffer_length(&value));
	return 0;
}

static int encode_field(const ProtobufCMessageDescriptor *descriptor,
			const ProtobufCFieldDescriptor *field, const json_t *json,
			struct buffer *out, int depth, struct error *err)
{
	const ProtobufCMessageDescriptor *entry = field_map_entry(descriptor, field);

	if (entry)
		return encode_map(field, entry, json, out, depth, err);
	if (field_is_repeated(field))
		return encode_repeated(field, json, out, depth, err);
	return encode_single(field, json, out, depth, err);
}

/* ---- messages ---- */

/* The value of a field by either of its names; NULL where it is left out. Borrowed. */
static const json_t *value_of(const json_t *object, const ProtobufCFieldDescriptor *field,
			      const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		value = json_object_get(object, field->name);
	return json_is_null(value) ? NULL : value;
}

/* ERROR_USAGE when another member of the field's oneof, before it, is set too. */
static int check_oneof(const ProtobufCMessageDescriptor *descriptor,
		       const ProtobufCFieldDescriptor *field, const json_t *object,
		       struct error *err)
{
	char name[FIELD_NAME_MAX];

	if (!field_is_oneof(field))
		return 0;
	for (const ProtobufCFieldDescriptor *other = descriptor->fields; other < field; other++) {
		if (!field_is_oneof(other) || other->quantifier_offset != field->quantifier_offset)
			continue;
		field_json_name(other, name);
		if (value_of(object, other, name))
			return error_set(err, ERROR_USAGE, "excludes %s", name);
	}
	return 0;
}

static int encode_message(const ProtobufCMessageDescriptor *descriptor, const json_t *object,
			  struct buffer *out, int depth, struct error *err)
{
	char name[FIELD_NAME_MAX];

	if (depth > TRANSCODE_DEPTH_MAX)
		return error_set(err, ERROR_LIMIT, "nested deeper than %d messages",
				 TRANSCODE_DEPTH_MAX);
	if (!json_is_object(object))
		return mismatch(err, "an object");
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		field_json_name(field, name);
		const json_t *value = value_of(object, field, name);
		if (!value)
			continue;
		if (check_oneof(descriptor, field, object, err) < 0 ||
		    encode_field(descriptor, field, value, out, depth, err) < 0)
			return error_prefix(err, "%s", name);
	}
	return 0;
}

int transcode_encode(const ProtobufCMessageDescriptor *descriptor, const json_t *object,
		     struct buffer *out, struct error *err)
{
	cleanup_buffer struct buffer message = { 0 };

	if (encode_message(descriptor, object, &message, 1, err) < 0)
		return -1;
	buffer_append(out, buffer_data(&message), buffer_length(&message));
	return 0;
}
