/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a file on its way into the image, in pieces that do not go back. Holes that are
 * larger than a chunk take no space; a chunk is a block, or as much as keeps the list of a large
 * file's chunks short.
 */
#pragma once
#include "ctr-store/worker/erofs_inode.h"

struct content {
	struct image *image; /* borrowed */
	uint64_t size;	     /* of the whole file, bytes */
	uint64_t end;	     /* bytes that came */
	unsigned chunk_bits; /* a chunk is 1 << chunk_bits blocks */
	struct run *runs;    /* of chunks that follow each other in the image */
	size_t run_count;
	bool in_run; /* the next block belongs to the last run */
	bool holes;
	unsigned char *map;
	unsigned char block[EROFS_BLOCK]; /* the last one, as far as it came */
};

void content_start(struct content *content, struct image *image, uint64_t size);
void content_free(struct content *content);

/* ERROR_INTEGRITY for a piece that goes back, or beyond the size. */
int content_write(struct content *content, const void *data, size_t length, uint64_t offset,
		  struct error *err);

/* Write what is left and say in the inode, whose attributes are set, where it all is. The map and
 * the tail stay the content's. */
int content_finish(struct content *content, struct inode *inode, struct error *err);
