/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a config.json: which members there are, of what type, and which must be there. */
#pragma once
#include <stdbool.h>

enum shape { ANY, TEXT, NUMBER, BOOLEAN, ARRAY, OBJECT, MAP };

/* One member of an object, or (without a key) each element of an array or map. */
struct field {
	const char *key;
	enum shape shape;
	bool required;
	bool not_empty;		     /* TEXT, ARRAY */
	long long min, max;	     /* NUMBER */
	const char *const *values;   /* TEXT: one of these; NULL: any */
	const struct field *members; /* OBJECT; ends with a row without a key */
	const struct field *element; /* ARRAY, MAP */
	const char *spec;	     /* where it is described; NULL: where what it is in is */
};

/* The members of the sections of other platforms. */
extern const struct field schema_solaris[], schema_vm[], schema_windows[], schema_zos[],
	schema_freebsd[];

/* The whole. */
extern const struct field schema_config;

/* The member at a pattern (leaves_pattern()), or NULL where the specification has none. *spec is
 * where it is described. */
const struct field *schema_find(const char *pattern, const char **spec);
