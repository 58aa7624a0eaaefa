/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in, bounded and strict (duplicate keys, depth, size), and JSON out. `what` names the input
 * in errors ("the manifest of docker.io/library/nginx").
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	JSON_DEPTH_MAX = 64,
	JSON_CONFIG_MAX = 4 << 20,   /* bytes of a manifest, an index, an image config */
	JSON_DOCUMENT_MAX = 16 << 20 /* bytes of a container document */
};

/* Parse bytes from outside: one value, nothing after it but white space, no duplicate keys, at
 * most JSON_DEPTH_MAX deep. ERROR_INTEGRITY on failure. The caller owns the result. */
json_t *json_parse(const char *text, size_t length, const char *what, struct error *err);

/* Read to the end of a descriptor, at most `max` bytes (ERROR_LIMIT), and parse. */
json_t *json_read_fd(int fd, size_t max, const char *what, struct error *err);

/* Read and parse the file `path` below dir_fd (or AT_FDCWD). For our own files: the path is
 * trusted, the content is not. */
json_t *json_read_at(int dir_fd, const char *path, size_t max, struct error *err);

/* json_unpack_ex() whose failure is ERROR_INTEGRITY "WHAT: …" with jansson's own text. */
int json_require(json_t *json, const char *what, struct error *err, const char *format, ...)
	__attribute__((warn_unused_result));

/* Compact text with sorted keys; the caller frees it. */
char *json_compact(const json_t *json);

/* The same of an object with one member set to what is compact text already. The key needs no
 * escapes. */
char *json_compact_with(const json_t *object, const char *key, const char *value);

/* Apply a JSON merge patch (RFC 7396): members of objects one by one, null takes away, all else
 * replaces. Neither argument changes, but the result, which the caller owns, shares with the target
 * what is as it was. */
json_t *json_merge_patch(const json_t *target, const json_t *patch);

/* Borrowed value at a path of keys that ends with NULL, or NULL where one is missing. */
json_t *json_path(const json_t *json, ...) __attribute__((sentinel));

/* The string at a key, or `otherwise` where there is none (or it is not a string). Borrowed. */
const char *json_text(const json_t *object, const char *key, const char *otherwise);

/* Whether a member is true. */
bool json_flag(const json_t *object, const char *key);

/* Whether one of the elements of an array is that text. */
bool json_has_text(const json_t *array, const char *text);
