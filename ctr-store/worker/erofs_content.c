/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_content.h"

#include "lib/memory.h"

#include <stdlib.h>

enum { CHUNKS_MAX = 16384 };

struct run {
	uint64_t chunk; /* of the file; it begins there */
	uint64_t block; /* of the image */
	uint64_t blocks;
};

static uint64_t blocks_of(uint64_t bytes)
{
	return (bytes + EROFS_BLOCK - 1) >> EROFS_BLOCK_BITS;
}

static uint64_t chunk_blocks(const struct content *content)
{
	return 1ULL << content->chunk_bits;
}

void content_start(struct content *content, struct image *image, uint64_t size)
{
	content->image = image;
	content->size = size;
	content->end = 0;
	content->chunk_bits = 0;
	content->run_count = 0;
	content->in_run = content->holes = false;
	while (blocks_of(size) >> content->chunk_bits > CHUNKS_MAX)
		content->chunk_bits++;
}

void content_free(struct content *content)
{
	free(content->runs);
	free(content->map);
	content->runs = NULL;
	content->map = NULL;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The run for what comes at this block of the file, which begins a chunk unless it goes on. */
static struct run *run_at(struct content *content, uint64_t block)
{
	size_t count = content->run_count;

	if (content->in_run)
		return &content->runs[count - 1];
	content->runs = xgrow(content->runs, count, sizeof *content->runs);
	content->runs[count] = (struct run){ .chunk = block >> content->chunk_bits,
					     .block = content->image->cursor.end };
	content->run_count++;
	content->in_run = true;
	return &content->runs[count];
}

static int put_blocks(struct content *content, const void *blocks, size_t count, struct error *err)
{
	struct run *run = run_at(content, content->end >> EROFS_BLOCK_BITS);

	run->blocks += count;
	return image_append(content->image, blocks, count, err);
}

/* Blocks of zeros that belong to a chunk with something in it. */
static int skip_blocks(struct content *content, uint64_t block, uint64_t count, struct error *err)
{
	if (count == 0)
		return 0;
	run_at(content, block)->blocks += count;
	return image_skip(content->image, count, err);
}

/* Put the last block, if it is begun, with zeros behind what came; `end` moves behind it. */
static int pad_block(struct content *content, struct error *err)
{
	size_t used = content->end % EROFS_BLOCK;

	if (used == 0)
		return 0;
	memset(content->block + used, 0, EROFS_BLOCK - used);
	int status = put_blocks(content, content->block, 1, err);
	content->end = round_up(content->end, EROFS_BLOCK);
	return status;
}

/* Nothing comes before block `to` of the file, the end of which is at a block. */
static int skip_to_block(struct content *content, uint64_t to, struct error *err)
{
	uint64_t from = content->end >> EROFS_BLOCK_BITS;
	uint64_t chunk_end = round_up(from, chunk_blocks(content));
	uint64_t chunk_start = to & ~(chunk_blocks(content) - 1);

	content->end = to << EROFS_BLOCK_BITS;
	if (chunk_start < chunk_end)
		return skip_blocks(content, from, to - from, err);
	/* the rest of the chunk, and the beginning of the one where something comes again */
	if (skip_blocks(content, from, chunk_end - from, err) < 0)
		return -1;
	if (chunk_start > chunk_end) {
		content->in_run = false;
		content->holes = true;
	}
	return skip_blocks(content, chunk_start, to - chunk_start, err);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static int skip_to(struct content *content, uint64_t offset, struct error *err)
{
	uint64_t to = offset >> EROFS_BLOCK_BITS;

	if (offset == content->end)
		return 0;
	if (to > content->end >> EROFS_BLOCK_BITS &&
	    (pad_block(content, err) < 0 || skip_to_block(content, to, err) < 0))
		return -1;
	memset(content->block + content->end % EROFS_BLOCK, 0, (size_t)(offset - content->end));
	content->end = offset;
	return 0;
}

/* Fill up the block that is begun; returns how much of the data it took. */
static size_t fill_block(struct content *content, const unsigned char *data, size_t length)
{
	size_t used = content->end % EROFS_BLOCK;
	size_t part = length < EROFS_BLOCK - used ? length : EROFS_BLOCK - used;

	memcpy(content->block + used, data, part);
	return part;
}

int content_write(struct content *content, const void *data, size_t length, uint64_t offset,
		  struct error *err)
{
	const unsigned char *bytes = data;

	if (offset < content->end || offset > content->size || length > content->size - offset)
		return error_set(err, ERROR_INTEGRITY, "its parts do not follow each other");
	if (skip_to(content, offset, err) < 0)
		return -1;
	while (length > 0) {
		size_t used = content->end % EROFS_BLOCK;
		size_t whole = used == 0 ? length / EROFS_BLOCK : 0;
		size_t part = whole ? whole * EROFS_BLOCK : fill_block(content, bytes, length);

		if (whole && put_blocks(content, bytes, whole, err) < 0)
			return -1;
		if (!whole && used + part == EROFS_BLOCK &&
		    put_blocks(content, content->block, 1, err) < 0)
			return -1;
		content->end += part;
		bytes += part;
		length -= part;
	}
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The list of chunks, one number each: its first block. */
static void make_map(struct content *content, struct inode *inode)
{
	uint64_t count =
		round_up(blocks_of(content->size), chunk_blocks(content)) >> content->chunk_bits;

	inode->layout = EROFS_CHUNK_BASED;
	inode->where = content->chunk_bits;
	inode->map_size = (size_t)count * 4;
	inode->map = content->map = xcalloc((size_t)count, 4);
	memset(content->map, 0xff, inode->map_size);
	for (size_t i = 0; i < content->run_count; i++) {
		const struct run *run = &content->runs[i];
		uint64_t chunk = run->chunk;

		for (uint64_t block = 0; block < run->blocks; block += chunk_blocks(content))
			put32(content->map + 4 * chunk++, (uint32_t)(run->block + block));
	}
	content->image->chunked = true;
}

/* It ends in a hole, which may be all there is. */
static int finish_hole(struct content *content, struct error *err)
{
	uint64_t blocks = blocks_of(content->size);

	if (pad_block(content, err) < 0)
		return -1;

	uint64_t from = content->end >> EROFS_BLOCK_BITS;
	uint64_t chunk_end = round_up(from, chunk_blocks(content));
	if (blocks > chunk_end)
		content->holes = true;
	return skip_blocks(content, from, (blocks < chunk_end ? blocks : chunk_end) - from, err);
}

int content_finish(struct content *content, struct inode *inode, struct error *err)
{
	size_t tail = content->size % EROFS_BLOCK;

	inode->size = content->size;
	if (content->end < content->size && finish_hole(content, err) < 0)
		return -1;
	bool begun = content->end % EROFS_BLOCK != 0;
	if (!content->holes && begun &&
	    image_inlines(&content->image->cursor, inode_head_size(inode), tail)) {
		inode->layout = EROFS_FLAT_INLINE;
		inode->tail = content->block;
		inode->tail_size = tail;
	} else if (pad_block(content, err) < 0) {
		return -1;
	}
	if (content->holes)
		make_map(content, inode);
	else
		inode->where = content->run_count ? (uint32_t)content->runs[0].block : 0;
	return 0;
}
