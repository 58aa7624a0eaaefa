/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the disk a directory takes. */
#pragma once
#include "lib/error.h"

struct store;

struct usage {
	long long bytes;      /* of blocks, so less than the sizes of sparse files */
	long long inodes;     /* a file with several names counts once */
	long long unreadable; /* directories of which the rest does not tell */
};

/* Add what the directory `path` of dir_fd and all in it takes. Absent adds nothing. What another
 * user of a user namespace owns may be closed to us outside of it: see usage_warn(). */
int usage_add_tree(int dir_fd, const char *path, struct usage *usage, struct error *err);

/* The same for a layer directory. It does not change once it is there, so the result is kept in
 * it, as usage.json; gc takes the file with the layer, and anybody may delete it. */
int usage_add_layer(const struct store *store, const char *id, struct usage *usage,
		    struct error *err);

void usage_add(struct usage *usage, const struct usage *more);

/* Tell people where something is not in it. */
void usage_warn(const struct usage *usage);
