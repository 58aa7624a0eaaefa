/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results on stdout (DESIGN 2). One object: indented on a terminal, else compact with sorted keys.
 * A list: an aligned table on a terminal, else JSON Lines. --json and --table force either.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;

/* A table's column; the list of them ends with a row whose title is NULL. */
struct output_column {
	const char *title; /* "IMAGE ID" */
	const char *key;   /* of the row's object, or "outer.inner"; arrays are joined with "," */
	enum { COLUMN_TEXT, COLUMN_DIGEST, COLUMN_SIZE } kind; /* DIGEST: 12 hex digits */
};

/* Indented or a table, rather than JSON for programs. */
bool output_is_for_people(const struct cli *cli);

/* On success the text has left this process: where it could not, the caller may still undo. */
int output_object(const struct cli *cli, const json_t *object, struct error *err);

/* The same where a known tool prints it in lines, in which scripts look for what they want: so it
 * is in a pipe, too, unless --json asks for one line. Keys stay in their order. */
int output_lines(const struct cli *cli, const json_t *object, struct error *err);

/* The same for an object that is text already, as programs get it. */
int output_text(const char *text, struct error *err);

/* A list as programs get it. */
int output_json_lines(const json_t *rows, struct error *err);

/* rows is an array of objects. */
int output_list(const struct cli *cli, const json_t *rows, const struct output_column *columns,
		struct error *err);
