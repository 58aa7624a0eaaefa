/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the header fields of a request are well-formed (RFC 9113, 8.2 and 8.3). nghttp2's own
 * check is off, because it refuses the :authority that gRPC for Go sent over unix sockets up to
 * 2021: the socket's path. kubelets up to 1.22 are built with it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised before the first field. */
struct fields {
	unsigned seen; /* pseudo-header fields: bits */
	bool regular;  /* one that is none was seen */
};

/* The next field of a request. False when the request is malformed. */
bool fields_take(struct fields *fields, const uint8_t *name, size_t name_length,
		 const uint8_t *value, size_t value_length);

/* After the last one: all that must be there is. */
bool fields_are_complete(const struct fields *fields);
