/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request that has no body (RFC 9112), parsed strictly: lines end in CR LF,
 * no folded lines, exactly one Host, nothing that announces a body. No I/O.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	HTTP1_HEAD_MAX = 32 << 10, /* bytes */
	HTTP1_FIELDS_MAX = 100,
};

struct http1_field {
	const char *name, *value; /* the value without white space around it */
};

/* Zero-initialise; free with http1_free() or cleanup_http1. */
struct http1_request {
	char *text; /* what the rest points into */
	const char *method, *target;
	struct http1_field fields[HTTP1_FIELDS_MAX];
	size_t count;
};

/* Returns the length of the head, 0 when it is not whole yet, -1 when it is malformed
 * (ERROR_INTEGRITY) or beyond the limits (ERROR_LIMIT). */
ssize_t http1_parse(const void *data, size_t length, struct http1_request *request,
		    struct error *err);
void http1_free(struct http1_request *request);
#define cleanup_http1 __attribute__((cleanup(http1_free)))

/* The first field of that name, in any case; NULL for none. */
const char *http1_field(const struct http1_request *request, const char *name);

/* All members of the comma-separated lists in the fields of that name. */
void http1_list(const struct http1_request *request, const char *name, struct strings *members);

/* Whether such a list has a member, in any case. */
bool http1_list_has(const struct http1_request *request, const char *name, const char *member);
