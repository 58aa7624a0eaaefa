/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds on images in a store of podman's (containers/storage). Nothing there but a container keeps
 * an image: layers that are mounted are unmounted when their image is removed, and a lock that is
 * held as long as a mount would stop podman. So a hold is a container without a layer in the list
 * of the store, DRIVER-containers/containers.json, which is changed under that list's own lock, for
 * a moment. podman, buildah, CRI-O and skopeo refuse to remove an image that has one.
 *
 * ROOT/holds/<id>.json says in which store a hold is. It is written before the hold is made and
 * removed after it, so that after a crash or a reboot gc finds those whose mount is gone.
 */
#pragma once
#include "lib/error.h"
#include "lib/random.h"

#include <stdbool.h>
#include <stddef.h>

struct storage;
struct store;

/* Hold an image by its id in the store, whose path is absolute. As long as *lock_fd, which the
 * caller closes, is open, hold_collect() leaves the hold alone: until the mount has a record. */
int hold_take(const struct store *store, const struct storage *storage, const char *image_id,
	      char id[static RANDOM_ID_SIZE], int *lock_fd, struct error *err);

/* Let go; one that is not there any more is no error. */
int hold_release(const struct store *store, const char *id, struct error *err);

/* Let go of those whose mount is gone; with `dry_run` only count them. What cannot be done is
 * warned of. Returns how many there were. */
size_t hold_collect(const struct store *store, bool dry_run);
