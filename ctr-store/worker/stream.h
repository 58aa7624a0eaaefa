/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uncompressed layer, block by block. A thread reads and decompresses ahead of whoever takes
 * the blocks, and the one of the two who has less to do hashes them, so that two processors share
 * the work.
 */
#pragma once
#include "lib/error.h"

#include <sys/types.h>

enum { STREAM_BLOCK = 256 * 1024 }; /* every block but the last has this many bytes */

struct stream_settings {
	int fd;			 /* of the stored layer */
	const char *diff_id;	 /* digest the uncompressed bytes must have, or NULL; borrowed */
	const char *blob_digest; /* digest the stored bytes must have, or NULL; borrowed */
	long long size_max;	 /* of the uncompressed layer, in bytes */
	long long growing_to;	 /* the bytes that the file is going to have; 0: has */
};

struct stream;

/* Allocate all that is needed; reads nothing. */
struct stream *stream_new(const struct stream_settings *settings);

/* Begin to read. */
int stream_start(struct stream *stream, struct error *err);

/* The next block, valid until the next call; returns its length, 0 at the end. */
ssize_t stream_next(struct stream *stream, const void **data, struct error *err);

/* Pass over what is left, which counts for the digests, and check them: ERROR_INTEGRITY. */
int stream_verify(struct stream *stream, struct error *err);

/* What the uncompressed bytes have as their digest, and the name of the compression ("none",
 * "gzip", …): once stream_verify() has succeeded. Borrowed. */
const char *stream_diff_id(const struct stream *stream);
const char *stream_compression(const struct stream *stream);

/* Once stream_verify() has returned, whatever it said. Before that the thread may be waiting for
 * input: an error then ends the process with the stream as it is. */
void stream_free(struct stream *stream);
