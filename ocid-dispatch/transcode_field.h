/* SPDX-License-Identifier: Apache-2.0 */
/* What both directions of the transcoder ask about a field. */
#pragma once
#include "ocid-dispatch/wire.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

enum { FIELD_NAME_MAX = 128 };

/* The field's name in JSON. */
void field_json_name(const ProtobufCFieldDescriptor *field, char name[static FIELD_NAME_MAX]);

/* The wire type of one value of the field. */
enum wire_type field_wire_type(const ProtobufCFieldDescriptor *field);

static inline bool field_is_repeated(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool field_is_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

/* True where absence means nothing else than the default value. */
static inline bool field_has_default(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_NONE && !field_is_oneof(field) &&
	       field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* The descriptor of the entries when the field, one of `parent`'s, is a map; else NULL. An entry
 * has two fields: its key, and its value. */
const ProtobufCMessageDescriptor *field_map_entry(const ProtobufCMessageDescriptor *parent,
						  const ProtobufCFieldDescriptor *field);
