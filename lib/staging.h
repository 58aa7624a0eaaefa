/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unfinished work (DESIGN 3 and 4). Every process that makes objects makes them in a directory of
 * its own, ROOT/tmp/<random>/, and renames them out when they are whole and fsynced. The directory
 * holds a file `lock`, locked as long as the process lives: what nobody locks, `ctr-store gc`
 * removes. A file `refs.json`, a JSON array of digests (blobs, DiffIDs, ChainIDs), keeps gc from
 * removing finished objects that nothing else refers to yet. Beside the directories there are
 * downloads that have ended early (lib/partial.h), which stay until they are given up.
 *
 * The gate is the lock between those who come to use an object and gc: shared by a process from
 * looking an object up until it has written down that it uses it (refs.json, a mount record, a
 * container's directory); exclusive to gc from reading what is written down until it has removed
 * the rest. Say in refs.json what you will use before you look whether it is there.
 */
#pragma once
#include "lib/error.h"
#include "lib/lock.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

struct staging {
	int fd;		      /* the directory */
	int tmp_fd, locks_fd; /* borrowed from the store */
	int lock_fd;
	char name[32];
};

int staging_open(const struct store *store, struct staging *staging, struct error *err);

/* Say which objects gc must keep while this process lives; replaces what was said before. Waits
 * for the gate, so the caller must not hold it exclusively. */
int staging_refer(const struct staging *staging, const json_t *digests, struct error *err);

/* Remove the directory with all that was left in it, and let go of the lock. */
void staging_close(struct staging *staging);
#define cleanup_staging __attribute__((cleanup(staging_close)))

/* Take the gate; returns a descriptor whose close lets go of it. */
int staging_gate(const struct store *store, enum lock_mode mode, struct error *err);

/* For gc, which holds the gate exclusively: adds to `dead` the names in ROOT/tmp of what no process
 * holds, for the caller to remove (NULL: only count them). Appends to the array `refs` the digests
 * that live ones refer to. *found counts the dead ones, and the downloads that were given up.
 * Returns how many live ones there are. */
int staging_collect(const struct store *store, struct strings *dead, json_t *refs, size_t *found,
		    struct error *err);
