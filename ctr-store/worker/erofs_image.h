/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The space of an EROFS image, which grows at its end. Data is appended in blocks. Inodes, each
 * with what has to follow it, are packed into slabs between them, so that both can be written as
 * they come: an inode may be anywhere, since its place is its number.
 */
#pragma once
#include "ctr-store/worker/erofs_format.h"
#include "lib/error.h"
#include "lib/settling.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the next things go. A copy of it tells where they would go. */
struct image_cursor {
	uint64_t end;		     /* blocks that are taken */
	uint64_t slab;		     /* the first byte of the slab */
	size_t slab_used, slab_size; /* bytes */
};

struct image {
	int fd; /* borrowed; an empty file */
	struct image_cursor cursor;
	unsigned char *slab; /* what is in it so far */
	unsigned char *data; /* blocks that are not written yet, which go to data_at */
	size_t data_length;  /* bytes */
	uint64_t data_at;    /* byte */
	uint64_t inodes;
	bool chunked;		   /* there is an inode of EROFS_CHUNK_BASED */
	struct settling *settling; /* or NULL: the disk is not asked */
	struct settled settled;
};

/* lose_writes: a crash may take the image, so the disk is not asked for it. */
void image_start(struct image *image, int fd, bool lose_writes);
void image_free(struct image *image);

/* Add blocks at the end; image->cursor.end says where they go. */
int image_append(struct image *image, const void *blocks, size_t count, struct error *err);

/* Leave so many blocks at the end, which read as zeros. */
int image_skip(struct image *image, uint64_t count, struct error *err);

/* Whether the last part of an inode's data, `tail` bytes (less than a block), should follow it,
 * rather than get a block: `head` are the bytes of the inode and what else follows it. */
bool image_inlines(const struct image_cursor *cursor, size_t head, size_t tail);

/* Take a place for `size` bytes, of which the last `tail` must be in one block. Returns the byte
 * where they go. */
uint64_t image_place(struct image_cursor *cursor, size_t size, size_t tail);

/* The same, and the memory to fill: zeros, valid until the next call. NULL is an error. */
unsigned char *image_take(struct image *image, size_t size, size_t tail, uint64_t *place,
			  struct error *err);

/* Write what is not written yet. */
int image_flush(struct image *image, struct error *err);

/* Write over what is written. */
int image_patch(struct image *image, const void *bytes, size_t length, uint64_t place,
		struct error *err);
