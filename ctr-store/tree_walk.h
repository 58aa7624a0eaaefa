/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at every file of a tree, in an order that depends on the names alone: a directory before
 * what is in it, names in the order of their bytes. Symbolic links are not followed and what is
 * mounted in the tree is not entered. Few descriptors serve a tree of any depth.
 */
#pragma once
#include "lib/error.h"

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
