/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts with their records: what `mount` and `create` make and `umount` takes away. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct id_maps;
struct store;

struct attach {
	const char *target;	  /* a directory, absolute and without symbolic links; NULL: a new
				   * one below the runroot, which goes with the mount */
	const json_t *layers;	  /* ids, or absolute paths where there is a hold; lowest first */
	const char *upper, *work; /* NULL: read-only */
	bool lose_writes;	  /* see struct overlay */
	const char *image, *image_id, *digest;
	const char *container;	    /* id, or NULL */
	const char *hold;	    /* id, or NULL; attach_undo() releases it */
	unsigned attributes;	    /* MOUNT_ATTR_… */
	const struct id_maps *maps; /* see struct overlay */
};

/* Mount an overlay and record it. The caller holds the gate, shared. Returns the record, which the
 * caller owns. */
json_t *attach_overlay(const struct store *store, const struct attach *attach, struct error *err);

/* Show a mount of ours, by its record, on one more directory. */
json_t *attach_again(const struct store *store, const json_t *record, const char *target,
		     struct error *err);

/* Undo a mount by its record, and forget it. With `lazy` also when it is in use: it vanishes from
 * the tree now, and ends with its last user. */
int attach_undo(const struct store *store, const json_t *record, bool lazy, struct error *err);
