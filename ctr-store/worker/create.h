/* SPDX-License-Identifier: Apache-2.0 */
/* What a directory of the layer can hold, made without following any link: `name` in `dir` is
 * replaced when it is there, since a later entry of an archive wins over an earlier one. */
#pragma once
#include "ctr-store/worker/meta.h"
#include "ctr-store/worker/tree.h"

/* An empty file that is to have `size` bytes; content and end come by the tree's media. */
int create_file(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		long long size, struct error *err);

int create_symlink(struct tree *tree, struct dir *dir, const char *name, const char *target,
		   const struct meta *meta, struct error *err);

/* A device, a FIFO or a socket, by the type bits of `type`. */
int create_node(struct tree *tree, struct dir *dir, const char *name, mode_t type, dev_t device,
		const struct meta *meta, struct error *err);

/* A hard link to target_name in target_dir; 1 when there is no such file. */
int create_link(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		const char *target_name, struct error *err);

/* A directory that an entry declares; what is in it already stays. */
int create_directory(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		     struct error *err);

/* Hide what lower layers have as `name` in `dir`; nothing of this layer is removed. */
int create_whiteout(struct tree *tree, struct dir *dir, const char *name, struct error *err);
