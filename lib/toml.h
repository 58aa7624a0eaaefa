/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 into JSON, for configuration files: tables, arrays of tables, dotted keys, strings,
 * whole numbers, booleans, arrays and inline tables. Dates and fractions are refused, as is
 * whatever TOML forbids. Pure: text in, values out.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stddef.h>

struct toml {
	json_t *root;	/* an object */
	json_t *places; /* private: where each key stands */
};

/* Parse; ERROR_INTEGRITY "WHAT:LINE: …". Free with toml_free(). */
int toml_parse(const char *text, size_t length, const char *what, struct toml *toml,
	       struct error *err);
void toml_free(struct toml *toml);
#define cleanup_toml __attribute__((cleanup(toml_free)))

/* The line of a key in a table, or of the table itself with key NULL; 0 where it has none. */
int toml_line(const struct toml *toml, const json_t *table, const char *key);

/* Call a key of a table by another name, at the line that it has. -1: there is one of that name. */
int toml_rename(struct toml *toml, json_t *table, const char *key, const char *name);
