/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transcoder. Without arguments: TAP. With "decode", "decode-defaults" or "encode": a filter
 * for tests/ocid-dispatch/transcode.py, which compares with Python's protobuf. A line of input is
 * a message's name, a space, and hex digits (JSON for encode); of output, the other form, or
 * "error: " and the message.
 */
#include "ocid-dispatch/transcode.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#undef linux /* a macro of gnu17, and a field of some messages */
#include "ocid-dispatch/cri.pb-c.h"
#include "tests/ocid-dispatch/kinds.pb-c.h"

#define KINDS (&kinds__kinds__descriptor)

/* ---- finding descriptors by name ---- */

static const ProtobufCMessageDescriptor *find_below(const ProtobufCMessageDescriptor *message,
						    const char *name, int depth)
{
	const ProtobufCMessageDescriptor *found = NULL;

	if (strcmp(message->name, name) == 0)
		return message;
	for (unsigned i = 0; depth < 8 && i < message->n_fields && !found; i++)
		if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			found = find_below(message->fields[i].descriptor, name, depth + 1);
	return found;
}

static const ProtobufCMessageDescriptor *find(const char *name)
{
	const ProtobufCServiceDescriptor *services[] = { &runtime__v1__runtime_service__descriptor,
							 &runtime__v1__image_service__descriptor };
	const ProtobufCMessageDescriptor *found = NULL;

	if (strncmp(name, "kinds.", 6) == 0)
		return find_below(KINDS, name, 7);
	for (int s = 0; s < 2; s++)
		for (unsigned m = 0; m < services[s]->n_methods && !found; m++) {
			found = find_below(services[s]->methods[m].input, name, 0);
			if (!found)
				found = find_below(services[s]->methods[m].output, name, 0);
		}
	return found;
}

/* ---- the filter ---- */

static size_t from_hex(const char *hex, unsigned char *data)
{
	size_t length = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		const char pair[] = { hex[0], hex[1], '\0' };

		data[length++] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return length;
}

static void decode_line(const ProtobufCMessageDescriptor *message, const char *hex, bool defaults)
{
	cleanup_free unsigned char *data = xcalloc(strlen(hex) / 2 + 1, 1);
	struct error err = { 0 };
	json_auto_t *json = transcode_decode(message, data, from_hex(hex, data), defaults, &err);
	cleanup_free char *text = json ? json_compact(json) : NULL;

	printf("%s%s\n", text ? "" : "error: ", text ? text : err.message);
}

static void encode_line(const ProtobufCMessageDescriptor *message, const char *text)
{
	cleanup_buffer struct buffer out = { 0 };
	struct error err = { 0 };
	json_auto_t *json = json_parse(text, strlen(text), "input", &err);

	if (!json || transcode_encode(message, json, &out, &err) < 0) {
		printf("error: %s\n", err.message);
		return;
	}
	for (size_t i = 0; i < buffer_length(&out); i++)
		printf("%02x", buffer_data(&out)[i]);
	putchar('\n');
}

static int filter(const char *mode)
{
	cleanup_free char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0) {
		char *rest = strchr(line, ' ');

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (rest)
			*rest++ = '\0';
		const ProtobufCMessageDescriptor *message = find(line);
		if (!message || !rest)
			printf("error: no message %s\n", line);
		else if (strcmp(mode, "encode") == 0)
			encode_line(message, rest);
		else
			decode_line(message, rest, strcmp(mode, "decode-defaults") == 0);
	}
	return 0;
}

/* ---- cases ---- */

static void decodes(const char *hex, const char *expected, const char *what)
{
	unsigned char data[256];
	struct error err = { 0 };
	json_auto_t *json = transcode_decode(KINDS, data, from_hex(hex, data), false, &err);
	cleanup_free char *text = json ? json_compact(json) : NULL;

	is(text ? text : err.message, expected, "decode: %s", what);
}

static void encodes(const char *text, const char *expected, const char *what)
{
	cleanup_buffer struct buffer out = { 0 };
	struct error err = { 0 };
	json_auto_t *json = json_loads(text, 0, NULL);
	char hex[sizeof err.message] = "";

	if (transcode_encode(KINDS, json, &out, &err) < 0)
		snprintf(hex, sizeof hex, "%s", err.message);
	else
		for (size_t i = 0; i < buffer_length(&out) && i < 300; i++)
			snprintf(hex + 2 * i, 3, "%02x", buffer_data(&out)[i]);
	is(hex, expected, "encode: %s", what);
}

static void test_decode(void)
{
	decodes("", "{}", "an empty message");
	decodes("18ffffffffffffffffff01", "{\"anInt32\":-1}", "a negative int32 in ten bytes");
	decodes("18011800", "{}", "the last value wins, also when it is the default");
	decodes("8a01021001"
		"8a01030a0161",
		"{\"leaf\":{\"n\":1,\"someName\":\"a\"}}", "a message that comes twice is merged");
	decodes("9a030161"
		"a00305",
		"{\"number\":\"5\"}", "the last member of a oneof wins");
	decodes("b80101b80102", "{\"int32s\":[1,2]}", "repeated without packing");
	decodes("ba0100", "{}", "nothing, packed");
	decodes("ba01020102", "{\"int32s\":[1,2]}", "repeated with packing");
	decodes("8001fdffffffffffffffff01", "{\"aColour\":\"INFRARED\"}", "a negative enum value");
	decodes("800163", "{\"aColour\":99}", "an enum value that has no name");
	decodes("ca02040a00"
		"1200",
		"{\"byName\":{\"\":\"\"}}", "an entry of default key and value");
	decodes("ca0200", "{\"byName\":{\"\":\"\"}}", "an entry of nothing");
	decodes("d20200", "{\"byInt32\":{\"0\":{}}}", "an entry without its message");
	decodes("f87f05", "{}", "an unknown field is dropped");
	decodes("1a0161", "{}", "a field of another wire type is dropped");
	decodes("18", "malformed protobuf", "a tag without a value");
	decodes("18ffffffffffffffffffff01", "malformed protobuf", "a varint of eleven bytes");
	decodes("720561", "malformed protobuf", "a length beyond the end");
	decodes("72ffffffffffffffff7f61", "malformed protobuf", "a length that overflows");
	decodes("720261", "malformed protobuf", "a length one byte beyond the end");
	decodes("0900000000000000", "malformed protobuf", "a number that is cut off");
	decodes("98808080800105", "malformed protobuf", "a field number of more than 29 bits");
	decodes("0001", "malformed protobuf", "field number 0");
	decodes("1b1c", "malformed protobuf", "a group");
	decodes("7202c328", "aString: not a UTF-8 string", "a string that is not UTF-8");
	decodes("72036100"
		"62",
		"aString: not a UTF-8 string", "a string with a NUL");
	decodes("9201047202c328", "nested: aString: not a UTF-8 string", "the path of the field");
	decodes("0d00000000", "{}", "a 32-bit value where 64 bits belong");
	decodes("090000000000000080", "{\"aDouble\":-0.0}", "a negative zero is not the default");
}

static void test_encode(void)
{
	encodes("{}", "", "an empty object");
	encodes("{\"anInt32\": null}", "", "null is a field left out");
	encodes("{\"an_int32\": 5}", "1805", "the name in the .proto file");
	encodes("{\"anInt32\": \"5\"}", "1805", "a number as a string");
	encodes("{\"anInt32\": 5.0}", "1805", "a real that is an integer");
	encodes("{\"anInt32\": 5.5}", "anInt32: is not an integer in the range of its type",
		"a real that is none");
	encodes("{\"anInt32\": 2147483648}", "anInt32: is not an integer in the range of its type",
		"out of range");
	encodes("{\"aUint32\": -1}", "aUint32: is not an unsigned integer in the range of its type",
		"negative where unsigned");
	encodes("{\"aUint32\": 4294967296}",
		"aUint32: is not an unsigned integer in the range of its type", "beyond 32 bits");
	encodes("{\"aUint64\": \"18446744073709551615\"}", "30ffffffffffffffffff01",
		"the greatest uint64");
	encodes("{\"anInt64\": \" 5\"}", "anInt64: is not an integer in the range of its type",
		"a string with more than a number");
	encodes("{\"aBool\": 1}", "aBool: is not true or false", "a number is no bool");
	encodes("{\"aString\": 1}", "aString: is not a string", "a number is no string");
	encodes("{\"aColour\": \"DEEP_BLUE\"}", "800107", "an enum value by name");
	encodes("{\"aColour\": 7}", "800107", "and by number");
	encodes("{\"aColour\": \"GREEN\"}", "aColour: \"GREEN\" is not a Colour", "unknown name");
	encodes("{\"someBytes\": \"-_8\"}", "7a02fbff", "URL-safe base64 without padding");
	encodes("{\"someBytes\": \"a\"}", "someBytes: is not base64", "no base64");
	encodes("{\"int32s\": [1, 2]}", "ba01020102", "numbers are packed");
	encodes("{\"int32s\": {}}", "int32s: is not an array", "an object is no list");
	encodes("{\"leaves\": [{}, {\"n\": \"x\"}]}",
		"leaves: [1]: n: is not an integer in the range of its type", "the path");
	encodes("{\"leaf\": {}}", "8a0100", "an empty message is there");
	encodes("{\"byName\": {\"\": \"\"}}", "ca02040a001200", "an entry of empty strings");
	encodes("{\"byBool\": {\"true\": \"RED\"}}",
		"e20204080"
		"11001",
		"a bool as key");
	encodes("{\"byBool\": {\"yes\": \"RED\"}}", "byBool: \"yes\": key: is not true or false",
		"another word as bool key");
	encodes("{\"text\": \"\"}", "9a0300", "a member of a oneof is there with its default");
	encodes("{\"text\": \"\", \"flag\": true}", "flag: excludes text", "two members");
	encodes("{\"nothing\": 1}", "", "an unknown name is dropped");
	encodes("{\"aDouble\": \"Infinity\"}", "09000000000000f07f", "infinity");
	encodes("{\"aFloat\": 1e300}", "aFloat: is not in the range of its type", "beyond a float");
}

/* A message nested `depth` times in itself. */
static void nest(struct buffer *out, int depth)
{
	cleanup_buffer struct buffer inner = { 0 };
	unsigned char length;

	if (depth == 0)
		return;
	nest(&inner, depth - 1);
	length = (unsigned char)buffer_length(&inner);
	buffer_append(out, "\x92\x01", 2);
	buffer_append(out, &length, 1);
	buffer_append(out, buffer_data(&inner), buffer_length(&inner));
}

/* The field int32s with `count` zeros in one value. */
static json_t *decode_packed(size_t count, struct error *err)
{
	cleanup_buffer struct buffer packed = { 0 };
	cleanup_free unsigned char *zeros = xcalloc(count, 1);

	buffer_append(&packed, "\xba\x01", 2);
	for (size_t left = count; left; left >>= 7) {
		unsigned char byte = (unsigned char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));

		buffer_append(&packed, &byte, 1);
	}
	buffer_append(&packed, zeros, count);
	return transcode_decode(KINDS, buffer_data(&packed), buffer_length(&packed), false, err);
}

static void test_bounds(void)
{
	cleanup_buffer struct buffer nested = { 0 }, many = { 0 };
	struct error err = { 0 };
	json_t *json;

	nest(&nested, TRANSCODE_DEPTH_MAX - 1);
	json = transcode_decode(KINDS, buffer_data(&nested), buffer_length(&nested), false, &err);
	ok(json, "decode: messages as deep as allowed");
	json_decref(json);
	buffer_free(&nested);
	nest(&nested, TRANSCODE_DEPTH_MAX);
	json = transcode_decode(KINDS, buffer_data(&nested), buffer_length(&nested), false, &err);
	ok(!json && err.kind == ERROR_LIMIT, "decode: and one deeper");

	for (int i = 0; i <= TRANSCODE_VALUES_MAX; i++)
		buffer_append(&many, "\xaa\x02\x00", 3);
	json = transcode_decode(KINDS, buffer_data(&many), buffer_length(&many), false, &err);
	ok(!json && err.kind == ERROR_LIMIT, "decode: too many values");

	err.kind = 0;
	json = decode_packed(TRANSCODE_VALUES_MAX - 1, &err);
	ok(json, "decode: as many as may be, packed");
	json_decref(json);
	json = decode_packed(TRANSCODE_VALUES_MAX, &err);
	ok(!json && err.kind == ERROR_LIMIT, "decode: and one more, with the field itself");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return filter(argv[1]);
	test_decode();
	test_encode();
	test_bounds();
	return tap_done();
}
