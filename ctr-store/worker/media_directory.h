/* SPDX-License-Identifier: Apache-2.0 */
/* A layer as files beneath a directory. Nothing but directories is remembered: what else is there,
 * the file system says, since it was empty at the start and nobody else writes to it. */
#pragma once
#include "ctr-store/worker/marker.h"
#include "ctr-store/worker/media.h"

enum { DIRECTORY_SLOTS = 4 };

/* The state behind a tree's `media`. Zero-initialise the rest. */
struct media_directory {
	int root_fd;	       /* the empty directory; borrowed, O_PATH will do */
	struct marker *marker; /* borrowed; NULL: directories stay unmarked */
	struct {
		struct dir *dir;
		int fd;
	} slots[DIRECTORY_SLOTS]; /* most recently used first */
	int file_fd;		  /* being written, where `file_open` */
	bool file_open;
	mode_t file_mode;   /* what it was made with */
	long long file_end; /* of what was written */
	long long file_size;
};

extern const struct media media_directory;
