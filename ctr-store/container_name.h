/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container has a name: ROOT/names/<name>, a symbolic link whose target is the id. The name
 * in the container's rootfs.json is what counts. A link is made before its container appears, so a
 * link that is missing says that there is none; one that leads nowhere, or to a container of
 * another name, means nothing and goes with gc. When the whole directory is missing it is made
 * again with the next name; until then the containers are looked through.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stddef.h>

struct store;

/* The id of the container that may have that name: it is still to be looked at. NULL with
 * ERROR_NOT_FOUND. The caller frees it. */
char *container_name_find(const struct store *store, const char *name, struct error *err);

/* Make the name lead to a container that is about to appear. The caller holds the lock of the name,
 * and has found it free. */
int container_name_set(const struct store *store, const char *name, const char *id,
		       struct error *err);

/* The container is gone. Of one that is `damaged` any name may have been its name. */
void container_name_forget(const struct store *store, const json_t *container);

/* Remove links that mean nothing; returns how many. The caller holds the gate exclusively. */
size_t container_name_sweep(const struct store *store);
