/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What storage.conf of containers and its drop-ins say of where podman's, buildah's and CRI-O's
 * store is, and the environment: STORAGE_DRIVER, STORAGE_OPTS.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>

struct storage_conf {
	char *driver;		   /* "overlay"; NULL: the one that the store has */
	char *root;		   /* "/var/lib/containers/storage" */
	char *images;		   /* images are kept here first; NULL: none but the root */
	bool transient;		   /* its containers are kept elsewhere */
	struct strings additional; /* other stores whose images it has, too */
};

/* Read all that there is. To be freed also after a failure. */
int storage_conf_read(struct storage_conf *conf, struct error *err);
void storage_conf_free(struct storage_conf *conf);
#define cleanup_storage_conf __attribute__((cleanup(storage_conf_free)))

/* Add the stores that options, "overlay.imagestore=DIR,…", name. */
void storage_conf_add_options(const char *options, struct strings *additional);
