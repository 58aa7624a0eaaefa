/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer is unpacked to: LAYER/diff below the staging directory. */
#pragma once
#include "ctr-store/backend.h"
#include "lib/memory.h"

enum { UNPACK_TARGET_FEW = 4 /* images that are waited for one by one */ };

struct unpack_target {
	int directory_fd; /* diff/ itself; or an empty one, for a worker to be confined to */
	int image_fd;	  /* diff, to become an EROFS image; or -1 */
};

void unpack_target_close(struct unpack_target *target);
#define cleanup_unpack_target __attribute__((cleanup(unpack_target_close)))

/* The directory `layer` is there already. */
int unpack_target_make(int staging_fd, const char *layer, enum backend backend,
		       struct unpack_target *target, struct error *err);

/* Let the disk begin with a layer that is whole. */
void unpack_target_push(int staging_fd, const char *layer, enum backend backend);

/* Wait until the disk has these layers with all that is beside them. */
int unpack_target_sync(int staging_fd, const struct strings *layers, enum backend backend,
		       struct error *err);

/* Let the layers that are to be made in this directory be far from each other on the disk. */
void unpack_target_spread(int staging_fd);
