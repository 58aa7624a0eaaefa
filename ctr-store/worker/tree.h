/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of the layer being written. What else is in one, and where it all goes, is the
 * media's to know.
 *
 * A directory is found by walking from the root through these records, so a name in the archive
 * never leads anywhere but into directories of this layer; symbolic links of the layer are
 * followed within it, as they would be in a container.
 */
#pragma once
#include "ctr-store/worker/media.h"
#include "ctr-store/worker/names.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct dir {
	struct dir *parent;    /* NULL for the root */
	struct dir *next_made; /* all directories, a parent before what is in it */
	struct dir *next_hashed;
	struct dir *moved_to; /* where what was in it is now (relocate.h); it is dead then */
	struct timespec mtime;
	mode_t mode;
	uint32_t hash;
	uint8_t hops;	    /* relocations that led here */
	bool declared;	    /* by an entry of the archive; else it is only a parent of one */
	bool opaque;	    /* by ".wh..wh..opq" */
	bool fresh;	    /* it replaces whatever lower layers have under its name */
	bool has_whiteouts; /* or had */
	bool dead;	    /* removed by a later entry, or moved */
	void *media;	    /* what the media keeps of it, or NULL */
	char name[];
};

enum { TREE_IMPLIED_MODE = 0755 };

struct tree {
	const struct media *media;
	void *media_state; /* its own */
	struct dir *root;
	struct dir **last_made;
	struct dir **table;
	size_t table_size, hashed;
	char parent[NAME_PATH_MAX + 1]; /* the last path tree_walk() made, and what it led to */
	struct dir *parent_dir;
	long long entries, entries_max; /* entries of the archive, and parents made for them */
	bool no_devices;		/* cannot be made here, and are left out */
	bool one_user;			/* owns all files, whatever the archive says */
};

/* Start with an empty media; `state` is borrowed. */
int tree_start(struct tree *tree, const struct media *media, void *state, long long entries_max,
	       struct error *err);
void tree_free(struct tree *tree);

/* Count one more entry: ERROR_LIMIT when there are too many. */
int tree_count(struct tree *tree, struct error *err);

/* The directory at `path`, seen from `from` and never above the root, through symbolic links of
 * the layer. With `make`, parents that are missing are made (0755, not declared); without it
 * *ret is NULL when it is not there. */
int tree_walk(struct tree *tree, struct dir *from, const char *path, bool make, struct dir **ret,
	      struct error *err);

/* Write the directory's path from the root ("" for the root). */
int tree_path(const struct dir *dir, char path[static NAME_PATH_MAX + 1], struct error *err);

/* The directory `name` in `dir`, or NULL. */
struct dir *tree_find(const struct tree *tree, const struct dir *dir, const char *name);

/* Make directory `name` in `dir`, replacing what is not a directory there. */
struct dir *tree_make(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
		      struct error *err);

/* Remove `name` from `dir`, whatever it is; absent is success. */
int tree_remove(struct tree *tree, struct dir *dir, const char *name, struct error *err);

/* Note that `dir` is now in directory `to`, under the same name. */
void tree_move(struct tree *tree, struct dir *dir, struct dir *to);

/* Was it, or a directory above it, removed? */
bool tree_is_dead(const struct dir *dir);

/* Does nothing of lower layers show in it, because of it or of a directory above it? */
bool tree_is_hidden(const struct dir *dir);
