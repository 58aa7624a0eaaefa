/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/erofs_inode.h"

#include <sys/sysmacros.h>

/* A compact inode has the superblock's time, which is 0. */
static bool is_compact(const struct inode *inode)
{
	return inode->mtime.tv_sec == 0 && inode->mtime.tv_nsec == 0 && inode->uid <= UINT16_MAX &&
	       inode->gid <= UINT16_MAX && inode->size <= UINT32_MAX && inode->links <= UINT16_MAX;
}

static size_t body_size(const struct inode *inode)
{
	return inode->attributes ? inode->attributes->size : 0;
}

size_t inode_head_size(const struct inode *inode)
{
	return (is_compact(inode) ? EROFS_COMPACT_SIZE : EROFS_EXTENDED_SIZE) + body_size(inode) +
	       inode->map_size;
}

static void encode_extended(const struct inode *inode, uint32_t number, unsigned char *bytes)
{
	put64(bytes + 8, inode->size);
	put32(bytes + 16, inode->where);
	put32(bytes + 20, number);
	put32(bytes + 24, inode->uid);
	put32(bytes + 28, inode->gid);
	put64(bytes + 32, (uint64_t)inode->mtime.tv_sec);
	put32(bytes + 40, (uint32_t)inode->mtime.tv_nsec);
	put32(bytes + EROFS_NLINK_OFFSET, inode->links);
}

static void encode_compact(const struct inode *inode, uint32_t number, unsigned char *bytes)
{
	put16(bytes + EROFS_COMPACT_NLINK_OFFSET, inode->links);
	put32(bytes + 8, (uint32_t)inode->size);
	put32(bytes + 16, inode->where);
	put32(bytes + 20, number);
	put16(bytes + 24, inode->uid);
	put16(bytes + 26, inode->gid);
}

void inode_encode(const struct inode *inode, uint32_t number, unsigned char *bytes)
{
	bool compact = is_compact(inode);
	size_t body = body_size(inode);

	put16(bytes, (unsigned)inode->layout << 1 | !compact);
	put16(bytes + 2, body ? (unsigned)((body - EROFS_BODY_HEADER) / 4 + 1) : 0);
	put16(bytes + 4, inode->mode);
	if (compact)
		encode_compact(inode, number, bytes);
	else
		encode_extended(inode, number, bytes);
	bytes += compact ? EROFS_COMPACT_SIZE : EROFS_EXTENDED_SIZE;
	if (body)
		memcpy(bytes, inode->attributes->bytes, body);
	if (inode->map_size)
		memcpy(bytes + body, inode->map, inode->map_size);
	if (inode->tail_size)
		memcpy(bytes + body + inode->map_size, inode->tail, inode->tail_size);
}

int inode_write(struct image *image, struct attribute_table *table, const struct inode *inode,
		struct inode_place *place, struct error *err)
{
	unsigned char *bytes = image_take(image, inode_head_size(inode) + inode->tail_size,
					  inode->tail_size, &place->byte, err);

	if (!bytes)
		return -1;
	place->compact = is_compact(inode);
	inode_encode(inode, (uint32_t)++image->inodes, bytes);
	if (inode->attributes)
		attribute_body_placed(
			table, inode->attributes,
			place->byte + (place->compact ? EROFS_COMPACT_SIZE : EROFS_EXTENDED_SIZE));
	return 0;
}

int inode_set_links(struct image *image, const struct inode_place *place, uint32_t links,
		    struct error *err)
{
	unsigned char bytes[4];

	if (!place->compact) {
		put32(bytes, links);
		return image_patch(image, bytes, 4, place->byte + EROFS_NLINK_OFFSET, err);
	}
	if (links > UINT16_MAX)
		return error_set(err, ERROR_LIMIT, "a file has more than %d names", UINT16_MAX);
	put16(bytes, links);
	return image_patch(image, bytes, 2, place->byte + EROFS_COMPACT_NLINK_OFFSET, err);
}

uint32_t inode_device(dev_t device)
{
	uint32_t minor_number = minor(device);

	return (minor_number & 0xff) | major(device) << 8 | (minor_number & ~0xffu) << 12;
}
