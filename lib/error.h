/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values. A function that can fail takes a `struct error *` last and returns 0 (or a
 * descriptor), and -1 on failure (pointer functions: NULL). On failure the error is filled and no
 * output parameter has changed; on success the error is untouched. Nothing is printed but by
 * error_print(), which cli_main() calls once, and cli_tell().
 *
 * error_os() only directly after a failed system call. A library that fails (jansson, libcurl,
 * libarchive) leaves errno at random: use its own text with error_set().
 */
#pragma once
#include <stdbool.h>

struct json_t;

/* The value is the exit status of the tool (man 7 ocid, EXIT STATUS). */
enum error_kind {
	ERROR_FAILED = 1,
	ERROR_USAGE = 2,
	ERROR_NOT_FOUND = 3,
	ERROR_EXISTS = 4,
	ERROR_IN_USE = 5,
	ERROR_DENIED = 6,      /* authentication, policy, permission */
	ERROR_INTEGRITY = 7,   /* digest, signature, corrupt or malformed data */
	ERROR_TEMPORARY = 8,   /* network or temporary: trying again may help */
	ERROR_LIMIT = 9,       /* no space, or over a limit */
	ERROR_UNSUPPORTED = 10 /* not supported here */
};

struct error {
	enum error_kind kind;
	int os;		   /* errno of the failed system call, or 0 */
	char message[768]; /* one line without the tool's name; may hold bytes from outside */
	char subject[256]; /* the thing it is about (an image, a path), or "" */
	char hint[256];	   /* what to do, or "" */
};

/* Fill the error and return -1, so that one line makes and returns it. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for the system call that has just failed: the kind follows from errno, and its text is
 * put after the message. */
int error_os(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put "CONTEXT: " before the message. Returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is missing is not what the command is about, but a file that it was told to use, or a part
 * of the configuration: ERROR_NOT_FOUND would say otherwise, so it becomes `kind`. Returns -1. */
int error_missing_is(struct error *err, enum error_kind kind);

/* Name the subject; say what the user can do. Return -1. */
int error_subject(struct error *err, const char *subject);
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The kind whose stable name, as it stands in "code" of the JSON form ("not-found", "in-use"), that
 * is; ERROR_FAILED for what is none. */
enum error_kind error_kind_from_name(const char *name);

/* Write the error to stderr as one line, `TOOL: VERB: MESSAGE (HINT)`, or as one JSON object
 * (DESIGN 2). Control characters from outside are escaped. verb may be NULL. */
void error_print(const struct error *err, const char *tool, const char *verb, bool as_json);

/* The same object, for a list of results in which some are errors; the caller owns it. */
struct json_t *error_json(const struct error *err, const char *tool, const char *verb);
