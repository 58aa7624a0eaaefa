/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a tar archive, in order, into a tree. */
#pragma once
#include "ctr-store/worker/lower.h"
#include "ctr-store/worker/stream.h"
#include "ctr-store/worker/tree.h"

struct unpacked {
	long long entries; /* of the archive */
	long long size;	   /* bytes of file content */
};

/* Unpack everything up to the end-of-archive mark. What is to be finished on top of lower layers
 * is added to `leans`. */
int unpack(struct stream *stream, struct tree *tree, struct leans *leans, struct unpacked *unpacked,
	   struct error *err);

/* Read all entries and create nothing: whether it is an archive that can be unpacked at all, as far
 * as names and kinds tell. */
int unpack_check(struct stream *stream, long long entries_max, struct unpacked *unpacked,
		 struct error *err);
