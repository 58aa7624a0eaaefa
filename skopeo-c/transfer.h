/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs on their way from one transport to another, several at once in one event loop. Every byte
 * is hashed as it passes; a blob that is not what its descriptor says never gets its name at the
 * destination. No blob is kept in memory.
 */
#pragma once
#include "lib/error.h"
#include "skopeo-c/manifest.h"

#include <jansson.h>
#include <stddef.h>

struct http;
struct progress;
struct transport;

enum { TRANSFER_PARALLEL = 6, TRANSFER_PARALLEL_MAX = 64 };

struct transfer {
	struct http *http; /* NULL where no transport is a registry */
	struct transport *from, *to;
	struct progress *progress;
	const char *held_digest; /* a blob that is read apart, and told of; NULL for none */
	int held_fd;		 /* its bytes; -1: they are on their way */
	/* Then looks, after each pump, whether they are there, and puts them in *held_fd. */
	int (*poll_held)(void *context, int *held_fd, struct error *err);
	void *held_context;
	size_t parallel; /* blobs at a time; 0: TRANSFER_PARALLEL */
	int claims_fd;	 /* what other processes move at the same time (claim.h); 0: nothing */
	struct hashing *hashing; /* private, as settling; NULL before */
	struct settling *settling;
	json_t *in_place; /* an object whose keys are the digests that are at the destination */
};

/* Move all blobs; those that are in place already, here or by an earlier call, are passed over. */
int transfer_blobs(struct transfer *transfer, const struct blob *blobs, size_t count,
		   struct error *err);
