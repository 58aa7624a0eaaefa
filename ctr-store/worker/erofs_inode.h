/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes of an EROFS image. */
#pragma once
#include "ctr-store/worker/erofs_attributes.h"
#include "ctr-store/worker/erofs_image.h"

#include <sys/types.h>

struct inode {
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	uint64_t size;
	uint32_t links;
	enum erofs_layout layout;
	uint32_t where; /* the first block, the device, or how large the chunks are */
	const struct attribute_body *attributes; /* or NULL */
	const unsigned char *map;		 /* blocks of the chunks, or NULL */
	size_t map_size;			 /* bytes */
	const void *tail;			 /* what follows the inode of its data, or NULL */
	size_t tail_size;			 /* bytes */
};

/* Where an inode is, and whether it is of the small kind. */
struct inode_place {
	uint64_t byte;
	bool compact;
};

static inline uint64_t inode_number(const struct inode_place *place)
{
	return place->byte / EROFS_SLOT;
}

/* Bytes of the inode and what follows it, without the tail of its data. */
size_t inode_head_size(const struct inode *inode);

/* Write the inode and its parts to `bytes`, which holds zeros. */
void inode_encode(const struct inode *inode, uint32_t number, unsigned char *bytes);

/* Find a place and write it there. */
int inode_write(struct image *image, struct attribute_table *table, const struct inode *inode,
		struct inode_place *place, struct error *err);

/* Change how many names an inode has that is written: ERROR_LIMIT. */
int inode_set_links(struct image *image, const struct inode_place *place, uint32_t links,
		    struct error *err);

/* A device as the kernel encodes it. */
uint32_t inode_device(dev_t device);
