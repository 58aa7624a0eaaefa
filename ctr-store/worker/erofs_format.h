/* SPDX-License-Identifier: Apache-2.0 */
/* The on-disk format of EROFS, as far as an image without compression needs it (Linux:
 * Documentation/filesystems/erofs.rst). All numbers are little-endian. */
#pragma once
#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
	EROFS_BLOCK_BITS = 12,
	EROFS_BLOCK = 1 << EROFS_BLOCK_BITS,
	EROFS_SUPER_OFFSET = 1024,
	EROFS_SUPER_SIZE = 128,
	EROFS_SUPER_BLOCK_BITS_OFFSET = 12, /* 8 bits */
	EROFS_SUPER_BLOCKS_OFFSET = 36,	    /* 32 bits */
	EROFS_SLOT = 32, /* an inode's number is its place in the image in these */
	EROFS_COMPACT_SIZE = 32,
	EROFS_EXTENDED_SIZE = 64,
	EROFS_NLINK_OFFSET = 44,	/* of an extended inode; 32 bits */
	EROFS_COMPACT_NLINK_OFFSET = 6, /* 16 bits */
	EROFS_DIRENT = 12,		/* nid 64, name's place 16, type 8, 0 */
	EROFS_BODY_HEADER = 12,		/* of the attributes that follow an inode */
	EROFS_BODY_MAX = EROFS_BODY_HEADER + 4 * (UINT16_MAX - 1),
	EROFS_ATTRIBUTE_HEADER = 4 /* name's length 8, prefix 8, value's length 16 */
};

static const uint32_t erofs_magic = 0xe0f5e1e2, erofs_hole = UINT32_MAX;

enum { EROFS_COMPAT_MTIME = 2, EROFS_INCOMPAT_CHUNKED_FILE = 4 };

/* Where the data of an inode is. */
enum erofs_layout {
	EROFS_FLAT_PLAIN = 0,  /* in blocks, one after the other */
	EROFS_FLAT_INLINE = 2, /* the same, but the last part right after the inode */
	EROFS_CHUNK_BASED = 4  /* as a list of blocks after the inode says */
};

enum erofs_type {
	EROFS_FILE = 1,
	EROFS_DIRECTORY,
	EROFS_CHARACTER_DEVICE,
	EROFS_BLOCK_DEVICE,
	EROFS_FIFO,
	EROFS_SOCKET,
	EROFS_SYMLINK
};

static inline void put16(unsigned char *at, unsigned value)
{
	uint16_t little = htole16((uint16_t)value);

	memcpy(at, &little, sizeof little);
}

static inline void put32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof value);
}

static inline uint32_t get32(const unsigned char *at)
{
	uint32_t little;

	memcpy(&little, at, sizeof little);
	return le32toh(little);
}

static inline void put64(unsigned char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof value);
}

/* The next multiple of `step`, a power of two. */
static inline uint64_t round_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) & ~(step - 1);
}

/* The same of what is in memory. */
static inline size_t round_size_up(size_t value, size_t step)
{
	return (value + step - 1) & ~(step - 1);
}
