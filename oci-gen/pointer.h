/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON pointers (RFC 6901): places in a config.json, to change them and to name them. The pointers
 * given to the first functions are constants of ours, without "~" escapes.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The value there, or NULL. Borrowed. */
json_t *pointer_get(const json_t *root, const char *pointer);

/* The object or array there; what is missing on the way is made (as objects). Borrowed. */
json_t *pointer_object(json_t *root, const char *pointer);
json_t *pointer_array(json_t *root, const char *pointer);

/* Put a value there, in place of what was. Takes the reference. */
void pointer_set(json_t *root, const char *pointer, json_t *value);

/* Take away what is there, if anything. */
void pointer_remove(json_t *root, const char *pointer);

/* The same for any pointer: with escapes, and indexes of arrays. *parent (unless NULL) holds it. */
json_t *pointer_find(const json_t *root, const char *pointer, json_t **parent);

/* Take away, or replace (taking the reference), what pointer_find() finds. False where there is
 * nothing. */
bool pointer_delete(json_t *root, const char *pointer);
bool pointer_replace(json_t *root, const char *pointer, json_t *value);

/* The last key of a pointer, without escapes, and the pointer without it; the caller frees them. */
char *pointer_last(const char *pointer);
char *pointer_above(const char *pointer);

/* "POINTER/KEY" with the key escaped; the caller frees it. */
char *pointer_join(const char *pointer, const char *key);
char *pointer_index(const char *pointer, size_t index);
