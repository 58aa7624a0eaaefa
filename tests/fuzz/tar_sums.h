/* SPDX-License-Identifier: Apache-2.0 */
/* Mends the checksums of tar headers: readers stop at one that is wrong, so a fuzzer that changes
 * bytes would hardly ever come to what is behind it. */
#pragma once
#include "lib/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A copy of the archive, in which every block that has a header's magic has its checksum, too. The
 * caller frees it. */
static inline uint8_t *tar_sums_mended(const uint8_t *data, size_t size)
{
	enum { BLOCK = 512, SUM = 148, SUM_SIZE = 8, MAGIC = 257 };
	uint8_t *copy = xcalloc(size ? size : 1, 1);

	if (size > 0)
		memcpy(copy, data, size);
	for (uint8_t *at = copy; (size_t)(copy + size - at) >= BLOCK; at += BLOCK) {
		char text[SUM_SIZE];
		unsigned sum = 0;

		if (memcmp(at + MAGIC, "ustar", 5) != 0)
			continue;
		memset(at + SUM, ' ', SUM_SIZE);
		for (size_t i = 0; i < BLOCK; i++)
			sum += at[i];
		snprintf(text, sizeof text, "%06o", sum);
		memcpy(at + SUM, text, SUM_SIZE - 1);
	}
	return copy;
}
