/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "ocid-dispatch/transcode.h"
#include "ocid-dispatch/transcode_field.h"
#include "ocid-dispatch/wire.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
	bool defaults;
	size_t values; /* how many more values there may be */
	struct error *err;
};

static json_t *decode_message(struct decoder *decoder, const ProtobufCMessageDescriptor *descriptor,
			      struct wire_reader reader, json_t *into, int depth);

/* ---- single values ---- */

static json_t *json_of_uint64(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	return json_string(text);
}

static json_t *json_of_int64(int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return json_string(text);
}

static json_t *json_of_double(double value)
{
	if (isnan(value))
		return json_string("NaN");
	if (isinf(value))
		return json_string(value > 0 ? "Infinity" : "-Infinity");
	return json_real(value);
}

static json_t *json_of_float_bits(uint32_t bits)
{
	char text[32];
	float value;

	memcpy(&value, &bits, sizeof value);
	if (!isfinite(value))
		return json_of_double((double)value);
	/* the shortest decimal that gives the same float, not all digits of the double */
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return json_real(strtod(text, NULL));
}

static json_t *json_of_double_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return json_of_double(value);
}

static json_t *json_of_enum(const ProtobufCEnumDescriptor *descriptor, int32_t number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);

	return value ? json_string(value->name) : json_integer(number);
}

static json_t *json_of_string(struct decoder *decoder, struct wire_reader bytes)
{
	size_t length = (size_t)(bytes.end - bytes.at);
	json_t *json = NULL;

	if (length == 0)
		return json_string("");
	if (!memchr(bytes.at, '\0', length))
		json = json_stringn((const char *)bytes.at, length);
	if (!json)
		error_set(decoder->err, ERROR_INTEGRITY, "not a UTF-8 string");
	return json;
}

static json_t *json_of_bytes(struct wire_reader bytes)
{
	cleanup_free char *text = base64_encode(bytes.at, (size_t)(bytes.end - bytes.at));

	return json_string(text);
}

static int32_t zigzag32(uint32_t value)
{
	return (int32_t)(value >> 1 ^ (0U - (value & 1)));
}

static int64_t zigzag64(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0U - (value & 1)));
}

/* One value of any type but a message. */
static json_t *decode_scalar(struct decoder *decoder, const ProtobufCFieldDescriptor *field,
			     const struct wire_value *value)
{
	uint64_t number = value->number;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer((int32_t)number);
	case PROTOBUF_C_TYPE_SINT32:
		return json_integer(zigzag32((uint32_t)number));
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer((uint32_t)number);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_of_int64((int64_t)number);
	case PROTOBUF_C_TYPE_SINT64:
		return json_of_int64(zigzag64(number));
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_of_uint64(number);
	case PROTOBUF_C_TYPE_FLOAT:
		return json_of_float_bits((uint32_t)number);
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_of_double_bits(number);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(number != 0);
	case PROTOBUF_C_TYPE_ENUM:
		return json_of_enum(field->descriptor, (int32_t)number);
	case PROTOBUF_C_TYPE_STRING:
		return json_of_string(decoder, value->bytes);
	case PROTOBUF_C_TYPE_BYTES:
		return json_of_bytes(value->bytes);
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	wire_malformed(decoder->err);
	return NULL;
}

/* True for the value that a field without presence has when it is left out. A negative zero of
 * the floating types is none. */
static bool is_default(const ProtobufCFieldDescriptor *field, const struct wire_value *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return value->bytes.at == value->bytes.end;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_ENUM:
		return (uint32_t)value->number == 0;
	default:
		return value->number == 0;
	}
}

static int count_value(struct decoder *decoder)
{
	if (decoder->values == 0)
		return error_set(decoder->err, ERROR_LIMIT, "more than %d values in one message",
				 TRANSCODE_VALUES_MAX);
	decoder->values--;
	return 0;
}

/* ---- fields ---- */

static json_t *array_at(json_t *object, const char *name)
{
	json_t *array = json_object_get(object, name);

	if (!array)
		json_object_set_new(object, name, array = json_array());
	return array;
}

/* True for many values of a repeated field in one. */
static bool is_packed(const ProtobufCFieldDescriptor *field, const struct wire_value *value)
{
	return field_is_repeated(field) && value->type != field_wire_type(field);
}

static int append_packed(struct decoder *decoder, const ProtobufCFieldDescriptor *field,
			 struct wire_reader reader, json_t *array)
{
	while (reader.at < reader.end) {
		struct wire_value value = { 0 };

		if (count_value(decoder) < 0 ||
		    wire_read_value(&reader, field_wire_type(field), &value, decoder->err) < 0)
			return -1;
		json_array_append_new(array, decode_scalar(decoder, field, &value));
	}
	return 0;
}

static int append_repeated(struct decoder *decoder, const ProtobufCFieldDescriptor *field,
			   const struct wire_value *value, json_t *array, int depth)
{
	json_t *element;

	if (is_packed(field, value))
		return append_packed(decoder, field, value->bytes, array);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		element = decode_message(decoder, field->descriptor, value->bytes, NULL, depth + 1);
	else
		element = decode_scalar(decoder, field, value);
	if (!element)
		return -1;
	json_array_append_new(array, element);
	return 0;
}

/* The JSON of a field that is not there; NULL where nothing stands for it. */
static json_t *default_json(const ProtobufCFieldDescriptor *field, bool is_map)
{
	struct decoder decoder = { .err = &(struct error){ 0 } };
	struct wire_value zero = { .bytes = { NULL, NULL } };

	if (is_map)
		return json_object();
	if (field_is_repeated(field))
		return json_array();
	return decode_scalar(&decoder, field, &zero);
}

static const char *key_text(const json_t *key, char text[static 24])
{
	if (json_is_string(key))
		return json_string_value(key);
	if (json_is_boolean(key))
		return json_is_true(key) ? "true" : "false";
	snprintf(text, 24, "%lld", (long long)json_integer_value(key));
	return text;
}

/* The key or the value of an entry, the default where it was left out. A new reference. */
static json_t *entry_part(struct decoder *decoder, const ProtobufCFieldDescriptor *field,
			  const json_t *pair, int depth)
{
	const struct wire_reader nothing = { NULL, NULL };
	json_t *there = json_object_get(pair, field->name);

	if (there)
		return json_incref(there);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return decode_message(decoder, field->descriptor, nothing, NULL, depth);
	return default_json(field, false);
}

static int add_entry(struct decoder *decoder, const ProtobufCMessageDescriptor *entry,
		     const struct wire_value *value, json_t *map, int depth)
{
	char text[24];
	json_auto_t *pair = decode_message(decoder, entry, value->bytes, NULL, depth + 1);

	if (!pair)
		return -1;
	json_auto_t *key = entry_part(decoder, &entry->fields[0], pair, depth + 2);
	json_auto_t *json = entry_part(decoder, &entry->fields[1], pair, depth + 2);
	if (!key || !json)
		return -1;
	json_object_set(map, key_text(key, text), json);
	return 0;
}

/* A oneof holds what was set last. */
static void clear_siblings(const ProtobufCMessageDescriptor *descriptor,
			   const ProtobufCFieldDescriptor *field, json_t *object)
{
	char name[FIELD_NAME_MAX];

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &descriptor->fields[i];

		if (other == field || !field_is_oneof(other) ||
		    other->quantifier_offset != field->quantifier_offset)
			continue;
		field_json_name(other, name);
		json_object_del(object, name);
	}
}

static int set_single(struct decoder *decoder, const ProtobufCFieldDescriptor *field,
		      const struct wire_value *value, json_t *object, const char *name, int depth)
{
	json_t *json;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		/* a message that comes twice is merged */
		json = decode_message(decoder, field->descriptor, value->bytes,
				      json_object_get(object, name), depth + 1);
	} else if (field_has_default(field) && is_default(field, value)) {
		json_object_del(object, name);
		return 0;
	} else {
		json = decode_scalar(decoder, field, value);
	}
	if (!json)
		return -1;
	json_object_set_new(object, name, json);
	return 0;
}

static int decode_field(struct decoder *decoder, const ProtobufCMessageDescriptor *descriptor,
			const ProtobufCFieldDescriptor *field, const struct wire_value *value,
			json_t *object, int depth)
{
	const ProtobufCMessageDescriptor *entry = field_map_entry(descriptor, field);
	char name[FIELD_NAME_MAX];
	int done;

	if (count_value(decoder) < 0)
		return -1;
	field_json_name(field, name);
	if (entry) {
		json_t *map = json_object_get(object, name);

		if (!map)
			json_object_set_new(object, name, map = json_object());
		done = add_entry(decoder, entry, value, map, depth);
	} else if (is_packed(field, value) && value->bytes.at == value->bytes.end) {
		done = 0; /* nothing, packed, is no empty list */
	} else if (field_is_repeated(field)) {
		done = append_repeated(decoder, field, value, array_at(object, name), depth);
	} else {
		if (field_is_oneof(field))
			clear_siblings(descriptor, field, object);
		done = set_single(decoder, field, value, object, name, depth);
	}
	return done < 0 ? error_prefix(decoder->err, "%s", name) : 0;
}

/* A value of another wire type than the field's is skipped like a field that is unknown. */
static bool fits(const ProtobufCFieldDescriptor *field, enum wire_type type)
{
	return field_wire_type(field) == type || (field_is_repeated(field) && type == WIRE_BYTES);
}

static void add_defaults(const ProtobufCMessageDescriptor *descriptor, json_t *object)
{
	char name[FIELD_NAME_MAX];

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		field_json_name(field, name);
		if (json_object_get(object, name) ||
		    !(field_is_repeated(field) || field_has_default(field)))
			continue;
		json_object_set_new(object, name,
				    default_json(field, field_map_entry(descriptor, field)));
	}
}

static int decode_fields(struct decoder *decoder, const ProtobufCMessageDescriptor *descriptor,
			 struct wire_reader reader, json_t *object, int depth)
{
	while (reader.at < reader.end) {
		struct wire_value value = { 0 };
		uint64_t tag = 0;

		if (wire_read_varint(&reader, &tag, decoder->err) < 0)
			return -1;
		if (tag >> 3 == 0 || tag > UINT32_MAX)
			return wire_malformed(decoder->err);
		if (wire_read_value(&reader, (enum wire_type)(tag & 7), &value, decoder->err) < 0)
			return -1;

		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
		if (field && fits(field, value.type) &&
		    decode_field(decoder, descriptor, field, &value, object, depth) < 0)
			return -1;
	}
	return 0;
}

/* Decode into the object `into`, or a new one. Returns a new reference. */
static json_t *decode_message(struct decoder *decoder, const ProtobufCMessageDescriptor *descriptor,
			      struct wire_reader reader, json_t *into, int depth)
{
	if (depth > TRANSCODE_DEPTH_MAX) {
		error_set(decoder->err, ERROR_LIMIT, "nested deeper than %d messages",
			  TRANSCODE_DEPTH_MAX);
		return NULL;
	}
	json_auto_t *object = into ? json_incref(into) : json_object();

	if (decode_fields(decoder, descriptor, reader, object, depth) < 0)
		return NULL;
	if (decoder->defaults)
		add_defaults(descriptor, object);
	return steal_ptr(&object);
}

json_t *transcode_decode(const ProtobufCMessageDescriptor *descriptor, const void *data,
			 size_t length, bool defaults, struct error *err)
{
	struct decoder decoder = { defaults, TRANSCODE_VALUES_MAX, err };
	struct wire_reader reader = { data, (const unsigned char *)data + length };

	return decode_message(&decoder, descriptor, reader, NULL, 1);
}
