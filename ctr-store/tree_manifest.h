/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree is made of, to be compared with another: names, kinds, owners, modes, sizes,
 * contents, links, extended attributes, and the modification times of all but directories (which an
 * archive need not say) and whiteouts (which have none).
 */
#pragma once
#include "lib/error.h"

/* Compare two directories. 1 when they are the same, 0 when not, with the first path that differs
 * in *path, which the caller frees; -1 when they cannot be read. */
int tree_compare(int one_fd, int other_fd, char **path, struct error *err);
