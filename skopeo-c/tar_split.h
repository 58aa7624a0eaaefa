/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact tar of a layer that was unpacked, put together from its files and from what tar-split
 * (github.com/vbatts/tar-split) kept of it: lines of JSON, compressed by gzip, that are either
 * bytes of the archive or the name and size of a file whose content comes next.
 */
#pragma once
#include "lib/error.h"

#include <sys/types.h>

struct tar_split;

/* Both descriptors are taken over: the lines, and the directory of the files. lock_fd is closed at
 * the end (-1: none). */
struct tar_split *tar_split_new(int lines_fd, int files_fd, int lock_fd);

/* The next bytes of the tar; 0 at the end. */
ssize_t tar_split_read(void *tar_split, void *buffer, size_t size, struct error *err);
void tar_split_free(void *tar_split);
