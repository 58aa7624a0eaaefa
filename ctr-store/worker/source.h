/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored layer as it comes from its descriptor: in chunks, hashed as they pass. It may be a
 * file that another process still writes to: its end is waited for then, and what was read of it
 * leaves the page cache.
 */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"

#include <stddef.h>
#include <sys/types.h>

enum { SOURCE_CHUNK = 256 * 1024 };

struct source {
	int fd;
	struct hasher *hasher; /* borrowed; NULL: nobody asked for the digest of these bytes */
	unsigned char *buffer; /* SOURCE_CHUNK bytes */
	size_t start, end;     /* what of the buffer is not yet taken */
	bool ended;
	long long growing_to; /* the bytes that the file is going to have; 0: it has them all */
	long long taken;
	long pause_us; /* the last one, since there was no more for now */
};

/* Make at least `want` bytes (at most SOURCE_CHUNK) available, or all there are before the end of
 * the input. Returns how many are at buffer + start, 0 at the end, -1 on error. */
ssize_t source_fill(struct source *source, size_t want, struct error *err);

/* Read, and hash, what is left. */
int source_drain(struct source *source, struct error *err);
