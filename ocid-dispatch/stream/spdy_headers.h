/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header blocks of SPDY/3 (draft-mbelshe-httpbis-spdy-00, 2.6.10): name/value pairs, compressed by
 * zlib with the protocol's dictionary, in one stream for all blocks of a direction.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/memory.h"

#include <zlib.h>

enum {
	SPDY_BLOCK_MAX = 64 << 10, /* bytes of a block that is not compressed */
	SPDY_FIELDS_MAX = 64,
};

/* Of one connection. */
struct spdy_headers {
	z_stream inflater, deflater;
};

int spdy_headers_init(struct spdy_headers *headers, struct error *err);
void spdy_headers_free(struct spdy_headers *headers);

/* Read a block: `fields` gets name, value, name, value…; names in lower case, a value that has
 * several parts is the first of them. A failure leaves the stream beyond use. */
int spdy_headers_read(struct spdy_headers *headers, const void *block, size_t length,
		      struct strings *fields, struct error *err);

/* Append the block of a reply that accepts: status 200, which some clients insist on. */
void spdy_headers_write_reply(struct spdy_headers *headers, struct buffer *out);

/* The value of a name, or NULL. */
const char *spdy_field(const struct strings *fields, const char *name);
