/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed whose root file system is a copy: found by comparing it with the
 * image. */
#pragma once
#include "ctr-store/archive.h"
#include "lib/error.h"

#include <jansson.h>

/* Called for each change: `entry` is the file, or what is gone of the image. -1 ends it. */
typedef int copied_visit(const struct tree_entry *entry, const char *kind, void *context,
			 struct error *err);

/* All that is "added" or "changed", and then what is "removed", of the tree rootfs_fd against
 * lower_fd. A file is the same when kind, owner, mode, size, modification time and attributes are;
 * a directory that only lost or got entries is changed. */
int copied_compare(int rootfs_fd, int lower_fd, copied_visit *visit, void *context,
		   struct error *err);
