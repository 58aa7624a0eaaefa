/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a directory, but for "." and "..". An error of the disk, or for want of memory, is
 * never taken for the end. Below dir_fd a symbolic link is no directory; a path from AT_FDCWD is
 * the user's own and opens normally.
 */
#pragma once
#include "lib/memory.h"

#include <dirent.h>

/* The names, sorted; `names` is empty before, and after a failure: -1 with errno. */
int directory_names(int dir_fd, const char *path, struct strings *names);

/* For who needs more than the names (d_type). NULL with errno. */
DIR *directory_open(int dir_fd, const char *path);

/* The next entry, borrowed until the one after it. NULL with errno, which is 0 at the end. */
const struct dirent *directory_next(DIR *directory);
