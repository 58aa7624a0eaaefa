/* SPDX-License-Identifier: Apache-2.0 */
/* Files as entries of an archive, with all that unpacking keeps of them. */
#pragma once
#include "ctr-store/id_map.h"
#include "ctr-store/tree_walk.h"
#include "lib/error.h"
#include "lib/tar_writer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct archive {
	struct tar_writer *tar; /* borrowed */
	size_t entries;		/* written so far */
	json_t *linked;		/* first path of each inode that has several names */
	char *buffer;
	bool is_layer;	     /* set by the caller: what could not be unpacked is ERROR_LIMIT */
	struct id_maps maps; /* owners are written as the container sees them */
};

/* For files of this container; NULL: of an image. */
void archive_start(struct archive *archive, struct tar_writer *tar, const json_t *container);
void archive_free(struct archive *archive);
#define cleanup_archive __attribute__((cleanup(archive_free)))

/* Add the file; sockets are passed over, since they mean nothing without their process, and what
 * was removed meanwhile. ERROR_TEMPORARY when it changes meanwhile. */
int archive_add(struct archive *archive, const struct tree_entry *entry, struct error *err);

/* Add an empty file. */
int archive_add_marker(struct archive *archive, const char *path, struct error *err);
