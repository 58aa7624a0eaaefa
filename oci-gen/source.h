/* SPDX-License-Identifier: Apache-2.0 */
/* Where the verbs read from. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* True when somebody gives us something on standard input: it is a pipe, a socket or a file. Not
 * so for a terminal, and for /dev/null, as scripts and services have it. */
bool source_stdin_given(void);

/* Read a JSON value from a file, or from standard input for "-". The caller owns it. */
json_t *source_read(const char *path, size_t max, struct error *err);

/* Read a config.json, which may hold unsigned numbers of 64 bits ("unlimited" of a resource
 * limit): those beyond what our JSON library holds are read as the largest it does. Where there are
 * some, *other is the same with another number in their place, else it stays NULL. The caller owns
 * both. */
json_t *source_read_config(const char *path, size_t max, json_t **other, struct error *err);

/* An array of the pointers to these numbers. The caller owns it. */
json_t *source_clamped(const json_t *config, const json_t *other);

/* The same for one that is written again: ERROR_UNSUPPORTED where such a number is no resource
 * limit, so that another one would be written. */
json_t *source_read_template(const char *path, size_t max, struct error *err);
