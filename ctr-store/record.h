/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of mounts, RUNROOT/mounts/<unique>.json: who has mounted what where, written before the
 * mount is made. A record counts while the mount that it names is there, in the mount namespace in
 * which it was made; so neither a crash nor umount(8) leaves a ghost.
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
	const char *image, *image_id, *digest;
	const char *container; /* id, or NULL */
	const json_t *layers;  /* ids of layer directories */
	bool writable;
	bool made_target; /* the directory was made for the mount and goes with it */
};

/* Write a record; the caller holds the gate, shared. Returns it with its name as "unique"; the
 * caller owns it. */
json_t *record_write(const struct store *store, const struct record *record, struct error *err);

/* Forget a record, as record_write() or record_list() gave it. */
void record_remove(const struct store *store, const json_t *record);

/* All records that count, as an array that the caller owns. *stale counts those that do not; with
 * `prune` they are removed: the caller holds the gate exclusively. stale may be NULL. */
json_t *record_list(const struct store *store, bool prune, size_t *stale, struct error *err);

/* Those of them whose `key` is `value`, as an array that the caller owns. */
json_t *record_select(const json_t *records, const char *key, const char *value);
