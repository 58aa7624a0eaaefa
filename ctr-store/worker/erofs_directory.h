/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of an EROFS image, which are written when all else is, and the superblock. */
#pragma once
#include "ctr-store/worker/erofs_names.h"
#include "ctr-store/worker/tree.h"

/* What is kept of each directory of the tree, as its `media`. */
struct image_directory {
	struct image_directory *next; /* of those that are finished, the topmost first */
	struct dir *dir;	      /* borrowed */
	struct name_entry *entries;
	uid_t uid;
	gid_t gid;
	struct attribute *attributes; /* in one piece with names and values, or NULL */
	size_t attribute_count;
	enum media_mark mark;
	/* once it is laid out */
	struct dirent_item *items;
	size_t item_count;
	struct attribute_body body;
	struct inode inode;
	size_t tail_size; /* of the data, the rest of which are whole blocks */
	bool inlined;	  /* the tail follows the inode */
	struct inode_place place;
};

/* That of a directory, made when it is first asked for. */
struct image_directory *image_directory_of(struct dir *dir);
void image_directory_free(struct image_directory *directory);

/* Write the list of directories, and what names them: the image is whole then. */
int image_directories_write(struct image *image, struct attribute_table *table,
			    const struct tree *tree, struct image_directory *list,
			    struct error *err);
