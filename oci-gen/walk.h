/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of the host, by fts(3), in the order of names: from inside each directory, so that nobody
 * who may write there can lead the walk, and what is done at fts_accpath, elsewhere. */
#pragma once
#include "lib/error.h"

#include <fts.h>

/* Begin at a path, which stays on its file system with FTS_XDEV. NULL on failure; fts_close(). */
FTS *walk_open(const char *path, int options, struct error *err);

/* 1 with the next entry, 0 at the end, -1 where a directory cannot be read: what is in it is not
 * taken to be missing. */
int walk_next(FTS *tree, FTSENT **entry, struct error *err);
