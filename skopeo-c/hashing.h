/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests that are computed in a thread of their own, while who has received the bytes goes on
 * receiving. Pieces of any number of blobs go there in slots of bounded number, each blob's in
 * order. One thread passes them.
 */
#pragma once
#include "lib/digest.h"

#include <stddef.h>

enum { HASHING_SLOT = 128 << 10 /* bytes */ };

struct hashing;

/* One blob's: its hasher, which is the thread's until hashing_wait(). */
struct hashed {
	struct hasher hasher;
	size_t pending; /* private */
};

/* holders: slots that are held without being passed on, at most. NULL where there can be no thread.
 */
struct hashing *hashing_new(size_t holders);

/* A free slot of HASHING_SLOT bytes, which may be held; there is one for each holder. */
unsigned char *hashing_slot(struct hashing *hashing);

/* Hash the first bytes of a slot, and take it back. */
void hashing_pass(struct hashing *hashing, unsigned char *slot, size_t length,
		  struct hashed *hashed);

/* Take a slot back. */
void hashing_drop(struct hashing *hashing, unsigned char *slot);

/* Wait until all bytes that were passed are hashed. */
void hashing_wait(struct hashing *hashing, struct hashed *hashed);

/* Nothing may be pending. NULL is fine. */
void hashing_free(struct hashing *hashing);
