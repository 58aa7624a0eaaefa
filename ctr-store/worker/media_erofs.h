/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer as one EROFS image. Files are written as they come; their names are kept, and the
 * directories written in the end. What was replaced leaves its space unused.
 */
#pragma once
#include "ctr-store/worker/erofs_content.h"
#include "ctr-store/worker/erofs_names.h"
#include "ctr-store/worker/media.h"

/* The state behind a tree's `media`. Zero-initialise the rest. */
struct media_erofs {
	int fd;		    /* an empty file, borrowed */
	long long size_max; /* of a file, bytes */
	bool lose_writes;   /* see image_start() */
	struct image image;
	struct attribute_table attributes;
	struct names names;
	struct file *files;
	struct content content;	 /* of the file that is being written, */
	struct name_entry *open; /* which has this name */
	struct image_directory *directories, **last_directory; /* that are finished */
};

extern const struct media media_erofs;
