/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees that are one EROFS image each: a layer's diff is either a directory or such a file. It is
 * mounted from the file itself where the kernel can (Linux 6.12, and not from every file system),
 * else by a loop device, which goes with the mount.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* Mount the image that is the file at `path`, read-only and attached nowhere: a descriptor, whose
 * close ends the mount. */
int erofs_mount(int dir_fd, const char *path, struct error *err);

/* The same without a loop device: ENOTBLK where that is needed. */
int erofs_mount_file(int dir_fd, const char *path, struct error *err);

/* Whether the path is that of a file rather than a directory's. */
bool erofs_is_image(int dir_fd, const char *path);

/* Open the topmost directory of a tree, whichever it is: a descriptor to read by. */
int erofs_open_tree(int dir_fd, const char *path, struct error *err);

/* Whether images can be mounted by this process at all: ERROR_UNSUPPORTED or ERROR_DENIED. */
int erofs_check(struct error *err);
