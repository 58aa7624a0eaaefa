/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unfinished work (DESIGN 3 and 4). Every process that makes objects makes them in a directory of
 * its own, ROOT/tmp/<random>/, and renames them out when they are whole and fsynced. The directory
 * holds a file `lock`, locked as long as the process lives: what nobody locks, `ctr-store gc`
 * removes. A file `refs.json`, a JSON array of digests (blobs, DiffIDs, ChainIDs), keeps gc from
 * removing finished objects that nothing else refers to yet.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

struct staging {
	int fd;	    /* the directory */
	int tmp_fd; /* borrowed from the store */
	int lock_fd;
	char name[32];
};

int staging_open(const struct store *store, struct staging *staging, struct error *err);

/* Say which objects gc must keep while this process lives; replaces what was said before. */
int staging_refer(const struct staging *staging, const json_t *digests, struct error *err);

/* Remove the directory with all that was left in it, and let go of the lock. */
void staging_close(struct staging *staging);
#define cleanup_staging __attribute__((cleanup(staging_close)))

/* For gc: remove every staging directory that no process holds; append the digests that live ones
 * refer to to the array `refs`. *removed counts directories. */
int staging_collect(const struct store *store, json_t *refs, size_t *removed, struct error *err);
