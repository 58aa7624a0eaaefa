/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are on disk (DESIGN 3). What is inside the directories belongs to the tools; this
 * module only opens them.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>

struct cli;

/* Zero-initialised is closed. */
struct store {
	char *root, *runroot;	   /* absolute, without symbolic links where they exist */
	int images_fd;		   /* ROOT/images: an OCI image layout */
	int layers_fd;		   /* ROOT/layers/<hex>/ */
	int containers_fd;	   /* ROOT/containers/<id>/ */
	int tmp_fd;		   /* ROOT/tmp: see lib/staging.h */
	int locks_fd;		   /* RUNROOT/locks: see lib/lock.h */
	int mounts_fd;		   /* RUNROOT/mounts */
	int run_containers_fd;	   /* RUNROOT/containers/<id>/ */
	int netns_fd;		   /* RUNROOT/netns */
	struct strings additional; /* see store_additional(); only for those who look images up */
	bool only_own_layers;	   /* those of additional stores do not count */
	struct error lost;	   /* why one of these is not among them; kind 0: all are */
};

/* Open the store named by --root and --runroot; directories that do not exist are made. */
int store_open(const struct cli *cli, struct store *store, struct error *err);
void store_close(struct store *store);

/* The roots of the stores whose images and layers are used beside those of the one at `root`, and
 * which are only read: `first`, those of $OCID_ADDITIONAL_STORES (":" between them), and
 * `additionalimagestores` of ROOT/store.json. Absolute; each is there. One that is away is an
 * error; but with `lost`, unless it is of `first`, it is left out with a warning, and *lost says
 * why. */
int store_additional(const char *root, const struct strings *first, struct strings *roots,
		     struct error *lost, struct error *err);

/* Whether no store was left out. */
bool store_is_complete(const struct store *store);

/* An error when a store was left out: to be asked before it is said that something is not there, or
 * that nothing needs it. */
int store_complete(const struct store *store, struct error *err);

/* store_open(), and `additional` with what `first` (or NULL) says first, without those that are
 * away. */
int store_open_images(const struct cli *cli, const struct strings *first, struct store *store,
		      struct error *err);
#define cleanup_store __attribute__((cleanup(store_close)))
