/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/transcode_field.h"

#include <string.h>

/* As protoc makes json_name: an underscore goes, and the letter after it becomes upper case. */
static void camel_case(const char *from, bool upper, char name[static FIELD_NAME_MAX])
{
	size_t length = 0;

	for (; *from && length < FIELD_NAME_MAX - 1; from++) {
		if (*from == '_') {
			upper = true;
			continue;
		}
		bool raise = upper && *from >= 'a' && *from <= 'z';

		name[length++] = (char)(raise ? *from - 'a' + 'A' : *from);
		upper = false;
	}
	name[length] = '\0';
}

void field_json_name(const ProtobufCFieldDescriptor *field, char name[static FIELD_NAME_MAX])
{
	camel_case(field->name, false, name);
}

enum wire_type field_wire_type(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:
		return WIRE_VARINT;
	}
}

/* protobuf-c does not keep protoc's map_entry option: an entry is known by the name that protoc
 * gives it, PARENT.FieldNameEntry, which no other message of a .proto file may have. */
const ProtobufCMessageDescriptor *field_map_entry(const ProtobufCMessageDescriptor *parent,
						  const ProtobufCFieldDescriptor *field)
{
	char name[FIELD_NAME_MAX];
	size_t parent_length = strlen(parent->name);

	if (!field_is_repeated(field) || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return NULL;

	const ProtobufCMessageDescriptor *entry = field->descriptor;
	if (entry->n_fields != 2 || entry->fields[0].id != 1 || entry->fields[1].id != 2)
		return NULL;
	if (strncmp(entry->name, parent->name, parent_length) != 0 ||
	    entry->name[parent_length] != '.')
		return NULL;

	const char *own_name = entry->name + parent_length + 1;
	camel_case(field->name, true, name);
	size_t length = strlen(name);
	if (strncmp(own_name, name, length) != 0 || strcmp(own_name + length, "Entry") != 0)
		return NULL;
	return entry;
}
