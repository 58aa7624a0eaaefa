/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with containers (container_facts.h): find, lock, mount, remove, make. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct image;
struct staging;
struct store;
struct strings;
struct trash;

struct container_plan {
	const char *id;	  /* NULL: a random one */
	const char *name; /* or NULL */
	const struct image *image;
	const struct strings *layers;  /* from layer_secure(), whose gate the caller still holds */
	const struct staging *staging; /* or this one keeps the layers; else NULL */
	json_t *document;	       /* gets `rootfs` */
	bool throwaway;
	bool copy;	    /* see backend.h; such a container is not mounted */
	bool lose_writes;   /* see volatile.h */
	long long size_max; /* bytes that it may write (see quota.h); 0: any */
	const json_t *uid_map,
		*gid_map; /* see id_map.h; NULL where the container's are the host's */
};

/* Make a container's directory and return with its lock held by *lock, a descriptor. Returns its
 * rootfs.json, which the caller owns. ERROR_EXISTS for an id or a name that is taken. */
json_t *container_make(const struct store *store, const struct container_plan *plan, int *lock,
		       struct error *err);

/* Remove a container that was just made, is not mounted, and whose lock the caller still holds; the
 * failure that led here is the one to tell. */
void container_undo(const struct store *store, const json_t *container);

/* The container with that id, name, or unambiguous beginning of an id (at least 4 digits): its
 * rootfs.json, which the caller owns. NULL with ERROR_NOT_FOUND. */
json_t *container_find(const struct store *store, const char *text, struct error *err);

/* The same, by a whole id or name only. */
json_t *container_find_whole(const struct store *store, const char *text, struct error *err);

/* One whose rootfs.json is missing or damaged, by its id or name: its id, which the caller frees,
 * or NULL where there is none. */
char *container_find_damaged(const struct store *store, const char *text);

/* The root file system of a container that is a copy, without what others have mounted in it: a
 * descriptor. */
int container_open_copy(const struct store *store, const json_t *container, struct error *err);

/* Mount the container on `target` (absolute; NULL: its own rootfs/). The caller holds the gate,
 * shared, and the container's lock. Returns the record of the mount. */
json_t *container_mount(const struct store *store, const json_t *container, const char *target,
			struct error *err);

/* Take the lock of a container, exclusive to mount, unmount and remove it: *lock, a descriptor.
 * Returns what the container is then, which the caller owns: in the meantime it may have been
 * removed, ERROR_NOT_FOUND, and made again. */
json_t *container_lock(const struct store *store, const char *id, int *lock, struct error *err);

/* The same for removing it, damaged as it may be: then only its id is known, and `damaged` set. */
json_t *container_lock_any(const struct store *store, const char *id, int *lock, struct error *err);

/* Move the container, which is not mounted, into the trash. */
int container_discard(const struct store *store, const json_t *container, struct trash *trash,
		      struct error *err);

/* Move the directories of containers that a power cut has left without content into the trash
 * (NULL: only count them); returns how many. The caller holds the gate exclusively. */
size_t container_collect_lost(const struct store *store, struct trash *trash);
