/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that comes from typed messages (protobuf's JSON mapping, structures of Go programs), checked
 * against tables and made plain: numbers are integers, bytes are text, members that have their
 * default are absent, messages that are there stay.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* BYTES are base 64 of text, MAP is of strings, FILE_MODE may be text, then octal if it begins with
 * 0. NUMBER may be text, too. */
enum member_kind { TEXT, BYTES, NUMBER, FILE_MODE, BOOLEAN, ENUMERATION, MESSAGE, MAP };

struct member {
	const char *name;
	enum member_kind kind;
	bool repeated;
	bool keep_zero;		      /* NUMBER: a zero is not as good as none */
	const struct member *members; /* of a MESSAGE; ends with a row without a name */
	const char *const *values;    /* of an ENUMERATION, by number */
	bool unsupported;	      /* anything but the default is refused */
};

/* The value as a message; `at` names it in errors, "" for the root of a file. ERROR_INTEGRITY for
 * what is malformed, ERROR_UNSUPPORTED for what is not known. The caller owns the result. */
json_t *message_read(const json_t *value, const struct member *members, const char *at,
		     struct error *err);
