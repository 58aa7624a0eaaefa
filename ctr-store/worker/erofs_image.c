/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_image.h"

#include "lib/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { DATA_SIZE = 256 << 10, SLAB_MIN = EROFS_BLOCK, SLAB_MAX = 64 << 10 };

void image_start(struct image *image, int fd, bool lose_writes)
{
	/* the first block is the superblock's */
	*image = (struct image){ .fd = fd, .cursor = { .end = 1 } };
	image->data = xcalloc(1, DATA_SIZE);
	image->settling = lose_writes ? NULL : settling_new(1, NULL, NULL);
	if (image->settling)
		settling_begin(image->settling, &image->settled, fd);
}

void image_free(struct image *image)
{
	struct error ignored;

	if (image->settling)
		(void)settling_end(image->settling, &image->settled, "", &ignored);
	settling_free(image->settling);
	image->settling = NULL;
	free(image->data);
	free(image->slab);
	image->data = image->slab = NULL;
}

int image_patch(struct image *image, const void *bytes, size_t length, uint64_t place,
		struct error *err)
{
	while (length > 0) {
		ssize_t put = pwrite(image->fd, bytes, length, (off_t)place);

		if (put < 0)
			return error_os(err, "cannot write the image");
		bytes = (const char *)bytes + put;
		length -= (size_t)put;
		place += (uint64_t)put;
	}
	return 0;
}

/* ---- data ------------------------------------------------------------------------------------ */

static int flush_data(struct image *image, struct error *err)
{
	size_t length = image->data_length;

	image->data_length = 0;
	if (image_patch(image, image->data, length, image->data_at, err) < 0)
		return -1;
	if (image->settling)
		settling_grow(image->settling, &image->settled, length);
	return 0;
}

/* Something else gets the blocks at the end. */
static int take_blocks(struct image *image, uint64_t count, struct error *err)
{
	/* startblk of an inode has 32 bits, and the last of them means a hole */
	if (image->cursor.end + count >= UINT32_MAX)
		return error_set(err, ERROR_LIMIT, "the image is larger than 16 TiB");
	image->cursor.end += count;
	return 0;
}

int image_append(struct image *image, const void *blocks, size_t count, struct error *err)
{
	const unsigned char *bytes = blocks;
	size_t left = count * EROFS_BLOCK;

	while (left > 0) {
		size_t room = DATA_SIZE - image->data_length;
		size_t part = left < room ? left : room;

		if (image->data_length == 0)
			image->data_at = image->cursor.end * EROFS_BLOCK;
		memcpy(image->data + image->data_length, bytes, part);
		image->data_length += part;
		if (take_blocks(image, part / EROFS_BLOCK, err) < 0 ||
		    (image->data_length == DATA_SIZE && flush_data(image, err) < 0))
			return -1;
		bytes += part;
		left -= part;
	}
	return 0;
}

int image_skip(struct image *image, uint64_t count, struct error *err)
{
	if (count == 0)
		return 0;
	return flush_data(image, err) < 0 ? -1 : take_blocks(image, count, err);
}

/* ---- slabs ----------------------------------------------------------------------------------- */

/* No inode lies across two blocks. */
static size_t next_slot(const struct image_cursor *cursor)
{
	size_t at = round_size_up(cursor->slab_used, EROFS_SLOT);

	return at % EROFS_BLOCK == EROFS_BLOCK - EROFS_SLOT ? at + EROFS_SLOT : at;
}

/* Whether the tail is in one block when the whole begins `at` bytes into the slab. */
static bool suits(size_t at, size_t head, size_t tail)
{
	return tail == 0 || (at + head) % EROFS_BLOCK + tail <= EROFS_BLOCK;
}

bool image_inlines(const struct image_cursor *cursor, size_t head, size_t tail)
{
	size_t at = next_slot(cursor), next = round_size_up(at, EROFS_BLOCK);

	if (tail == 0 || !suits(0, head, tail))
		return tail > 0 && suits(at, head, tail) && at + head + tail <= cursor->slab_size;
	if (suits(at, head, tail) || next + head + tail > cursor->slab_size)
		return true;
	/* whichever leaves less unused */
	return next - at <= EROFS_BLOCK - tail;
}

uint64_t image_place(struct image_cursor *cursor, size_t size, size_t tail)
{
	size_t at = next_slot(cursor);

	if (!suits(at, size - tail, tail))
		at = round_size_up(at, EROFS_BLOCK);
	if (at + size > cursor->slab_size) {
		size_t grown = cursor->slab_size ? 2 * cursor->slab_size : SLAB_MIN;

		if (grown > SLAB_MAX)
			grown = SLAB_MAX;
		if (grown < size)
			grown = round_size_up(size, EROFS_BLOCK);
		at = 0;
		cursor->slab = cursor->end * EROFS_BLOCK;
		cursor->slab_size = grown;
		cursor->end += grown / EROFS_BLOCK;
	}
	cursor->slab_used = at + size;
	return cursor->slab + at;
}

static int flush_slab(struct image *image, const struct image_cursor *cursor, struct error *err)
{
	return image_patch(image, image->slab, cursor->slab_used, cursor->slab, err);
}

unsigned char *image_take(struct image *image, size_t size, size_t tail, uint64_t *place,
			  struct error *err)
{
	struct image_cursor before = image->cursor;

	*place = image_place(&image->cursor, size, tail);
	if (image->cursor.slab != before.slab) {
		if (flush_data(image, err) < 0 || flush_slab(image, &before, err) < 0 ||
		    take_blocks(image, 0, err) < 0)
			return NULL;
		free(image->slab);
		image->slab = xcalloc(1, image->cursor.slab_size);
	}
	return image->slab + (*place - image->cursor.slab);
}

int image_flush(struct image *image, struct error *err)
{
	if (flush_data(image, err) < 0 || flush_slab(image, &image->cursor, err) < 0)
		return -1;
	/* what the disk has refused it does not tell the next one who asks */
	return image->settling ? settling_end(image->settling, &image->settled, "image", err) : 0;
}
