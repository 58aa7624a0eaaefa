/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS images that are mounted once for all who use them: each mount of such a file by itself is a
 * file system of its own, which shares neither inodes nor the page cache with another. What a
 * record of a mount names is mounted at RUNROOT/erofs/mnt/<key>, and overlays are made of copies of
 * that mount, which live on without it: it may vanish at any moment, and then costs some memory.
 * The key says which file it is, and holds while the mount does, which keeps the inode.
 *
 * RUNROOT/erofs/users/<key>/ has a file for each user. Who removes the last of them removes the
 * mount; what processes that were killed have left is for gc.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

struct erofs_user {
	const char *name; /* unique; of a record */
	json_t *keys;	  /* array, gets what the user uses */
};

/* A mount of the image that is the file at `path`: a descriptor. With a user (or NULL) it stays
 * shared until erofs_shared_release(); the caller holds the gate, shared, until there is a record
 * with that name and the keys. *attached says that it is the shared one, in its place, rather than
 * one that is attached nowhere and ends with the descriptor; a NULL pointer asks for the latter. */
int erofs_shared_mount(const struct store *store, const char *path, const struct erofs_user *user,
		       bool *attached, struct error *err);

/* The topmost directory of a tree, which is a directory or such an image: a descriptor to read by.
 */
int erofs_shared_open(const struct store *store, const char *path, const struct erofs_user *user,
		      struct error *err);

/* One more user of the same images. */
void erofs_shared_use(const struct store *store, const char *user, const json_t *keys);

/* A user goes, and with the last one the mount. */
void erofs_shared_release(const struct store *store, const char *user, const json_t *keys);

/* The file, a path from dir_fd, was that of an image that nobody uses any more. */
void erofs_shared_forget(const struct store *store, int dir_fd, const char *path);

/* All users but those in this set (an object) are gone. The caller holds the gate exclusively. */
void erofs_shared_collect(const struct store *store, const json_t *users);
