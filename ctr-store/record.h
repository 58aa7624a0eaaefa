/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of mounts, RUNROOT/mounts/<owner>/<unique>.json: who has mounted what where, written
 * before the mount is made. The owner is the container's id, "image:" and the hex digits of the
 * image's, or "hold:" and the id of a hold (ctr-store/hold.h), so that nobody reads the records of
 * others. A record counts while the mount that it names is there, in the mount namespace in which
 * it was made; so neither a crash nor umount(8) leaves a ghost. Where a directory above it was
 * renamed, what is read says where it is now.
 */
#pragma once
#include "lib/error.h"
#include "lib/random.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct store;

/* The parts of a record that do not follow from the moment it is made; all borrowed. */
struct record {
	const char *target; /* absolute, without symbolic links */
	const char *source; /* the overlay's device: MOUNT_SOURCE_PREFIX and 16 hex digits */
	const char *image, *image_id, *digest; /* the last two NULL where there is a hold */
	const char *container;		       /* id, or NULL */
	const char *hold;		       /* id, or NULL */
	const json_t *layers;		       /* ids of layer directories, or absolute paths */
	const char *root;		       /* of root_directory_add(), or NULL */
	bool writable;
	bool made_target; /* the directory was made for the mount and goes with it */
	int mount_fd;	  /* the mount, attached nowhere yet */
	const char *user; /* of RANDOM_NAME_SIZE; see erofs_shared.h */
	const json_t *images;
};

/* Write a record; the caller holds the gate, shared. Returns it with its place as "unique"; the
 * caller owns it. */
json_t *record_write(const struct store *store, const struct record *record, struct error *err);

/* Forget a record, as record_write() or record_list() gave it. */
void record_remove(const struct store *store, const json_t *record);

/* The user that it is of shared images. Borrowed. */
const char *record_user(const json_t *record);

/* Whether the mount is the topmost one on its target in our mount namespace. False where only
 * mountinfo can tell, as before Linux 6.8. */
bool record_is_on_top(const json_t *record);

/* The record of the topmost mount on a directory (absolute, without symbolic links), where it can
 * be told at once; else NULL, which says nothing. The caller owns it. */
json_t *record_find_on(const struct store *store, const char *directory);

/* The records that count of a container's mounts, of the mounts of an image itself, or of what a
 * hold is for, as an array that the caller owns. */
json_t *record_list_container(const struct store *store, const char *id, struct error *err);
json_t *record_list_image(const struct store *store, const char *image_id, struct error *err);
json_t *record_list_hold(const struct store *store, const char *id, struct error *err);

/* All records that count, as an array that the caller owns. *stale counts those that do not; with
 * `prune` they are removed: the caller holds the gate exclusively. stale may be NULL. */
json_t *record_list(const struct store *store, bool prune, size_t *stale, struct error *err);

/* Those of them whose `key` is `value`, as an array that the caller owns. */
json_t *record_select(const json_t *records, const char *key, const char *value);

/* All of them by the ids of their containers: an object of arrays that the caller owns. */
json_t *record_by_container(const json_t *records);
