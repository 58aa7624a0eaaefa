/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlay mounts of layer directories: the mount API of Linux 5.2 with one "lowerdir+" a layer
 * (6.8), else mount(2) with all of them in one string.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>

struct erofs_user;
struct id_maps;
struct store;

struct overlay {
	const struct strings *layers; /* ids of ROOT/layers, or absolute paths; lowest first */
	const char *top;	      /* one more directory on top of them, read-only; or NULL */
	const struct id_maps
		*maps;		  /* of the owners in the layers, but not in the others; or NULL */
	const char *upper, *work; /* absolute paths; NULL for a read-only mount */
	bool lose_writes; /* what was written need not survive a crash: never wait for the disk */
	const struct erofs_user *user; /* what keeps mounts of images shared, or NULL */
	const char *source;	       /* what mountinfo shows as the device */
	unsigned attributes;	       /* MOUNT_ATTR_… */
};

/* Make the mount without attaching it anywhere: a descriptor of its root directory, whose close
 * ends it unless overlay_attach() has put it somewhere. The caller holds the gate, shared. */
int overlay_open(const struct store *store, const struct overlay *overlay, struct error *err);

/* Put what overlay_open() made on the directory behind target_fd; `target` names it in errors. */
int overlay_attach(int mount_fd, int target_fd, const char *target, struct error *err);

/* Remove what processes that were killed in overlay_open() have left, where it had to use mount(2).
 * The caller holds the gate exclusively. */
void overlay_collect(const struct store *store);

/* The option string of mount(2) for these directories (lowest first), with overlayfs' escapes.
 * The caller frees it. */
char *overlay_options(const struct strings *lower, const char *upper, const char *work);
