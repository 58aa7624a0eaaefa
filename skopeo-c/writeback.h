/* SPDX-License-Identifier: Apache-2.0 */
/* Files that grow go to the disk meanwhile. */
#pragma once
#include <fcntl.h>
#include <stdint.h>

enum { WRITEBACK_STEP = 8 << 20 /* bytes */ };

/* The file has grown from `before` to `after` bytes. Let the disk begin early: the fsync at the
 * end, which stops everything, is short then. */
static inline void writeback_start(int fd, int64_t before, int64_t after)
{
	if (before / WRITEBACK_STEP != after / WRITEBACK_STEP)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}
