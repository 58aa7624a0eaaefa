/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at every file of a tree, in an order that depends on the names alone: a directory before
 * what is in it, names in the order of their bytes. Symbolic links are not followed and what is
 * mounted in the tree is not entered. Few descriptors serve a tree of any depth.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <sys/stat.h>

struct tree_entry {
	const char *path; /* from the top, "" for the top itself; of any length */
	const char *name; /* the last component; "." for the top */
	int dir_fd;	  /* the directory that holds it */
	const struct stat *st;
};

/* Called for each; -1 with err filled ends the walk. */
typedef int tree_visit(const struct tree_entry *entry, void *context, struct error *err);

/* Walk the tree whose top is the directory top_fd, which stays the caller's. What vanishes
 * meanwhile is passed over. */
int tree_walk(int top_fd, tree_visit *visit, void *context, struct error *err);

/* The same, but what cannot be read for lack of permission is passed over, and counted. */
int tree_walk_readable(int top_fd, tree_visit *visit, void *context, long long *unreadable,
		       struct error *err);

/* What another tree has at such a path: a descriptor (O_PATH) that follows no link. */
int tree_open(int top_fd, const char *path, struct error *err);

/* Whether that failed because there is nothing, rather than because it cannot be told. */
bool tree_is_absent(const struct error *err);

/* Overlayfs' mark of a name that is not to be seen. */
static inline bool tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}
