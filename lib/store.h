/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are on disk (DESIGN 3). What is inside the directories belongs to the tools; this
 * module only opens them.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct cli;

/* Zero-initialised is closed. */
struct store {
	char *root, *runroot;  /* absolute, without symbolic links where they exist */
	int images_fd;	       /* ROOT/images: an OCI image layout */
	int layers_fd;	       /* ROOT/layers/<hex>/ */
	int containers_fd;     /* ROOT/containers/<id>/ */
	int tmp_fd;	       /* ROOT/tmp: see lib/staging.h */
	int locks_fd;	       /* RUNROOT/locks: see lib/lock.h */
	int mounts_fd;	       /* RUNROOT/mounts */
	int run_containers_fd; /* RUNROOT/containers/<id>/ */
	int netns_fd;	       /* RUNROOT/netns */
};

/* Open the store named by --root and --runroot; directories that do not exist are made. */
int store_open(const struct cli *cli, struct store *store, struct error *err);
void store_close(struct store *store);
#define cleanup_store __attribute__((cleanup(store_close)))
