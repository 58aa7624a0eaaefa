/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing what nothing refers to: blobs by the index and by running processes, layers also by
 * containers and mounts. There is no counting: who refers to what is read from the things
 * themselves, under the gate (lib/staging.h).
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct store;
struct trash;

struct sweep {
	const struct store *store;
	struct trash *trash; /* or NULL, with dry_run */
	json_t *only;	     /* hex parts of digests (a set): look at nothing else; or NULL */
	bool dry_run;	     /* only count */
	size_t blobs, layers, staging, containers, records; /* what went */
	long long bytes;
};

/* The caller holds the gate exclusively. What takes long, removing trees, is left to the end of
 * the trash, when the gate is open again: the sweep lives until then, as what stays is taken out of
 * its numbers. */
int sweep_run(struct sweep *sweep, struct error *err);
