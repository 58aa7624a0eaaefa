/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of inodes. One that was seen before is not written again: its first place,
 * in the body of another inode, is as good as one in an area for shared attributes.
 */
#pragma once
#include "ctr-store/worker/meta.h"

#include <stdint.h>

/* What is known of attributes in the image. Zero-initialise it. */
struct attribute_table {
	struct shared_attribute **buckets;
	size_t count;
};

void attribute_table_free(struct attribute_table *table);

/* The body that follows an inode, ready to be written: bytes and their number, 0 for none. */
struct attribute_body {
	unsigned char *bytes;
	size_t size;
};

void attribute_body_free(struct attribute_body *body);
#define cleanup_attribute_body __attribute__((cleanup(attribute_body_free)))

/* ERROR_LIMIT when they are too large for the format, ERROR_INTEGRITY for a value that none can
 * have. */
int attribute_body_make(const struct attribute_table *table, const struct attribute *attributes,
			size_t count, struct attribute_body *body, struct error *err);

/* The body has come to be at this byte of the image. */
void attribute_body_placed(struct attribute_table *table, const struct attribute_body *body,
			   uint64_t place);
