/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests, "ALGORITHM:HEX" (image-spec, descriptor.md, "Digests"). sha256 and sha512 are
 * the registered algorithms; others are refused, so a digest that was parsed can name a file.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_SIZE = sizeof "sha512:" + 128 }; /* any digest as text with its NUL */

/* True for "sha256:" and 64, or "sha512:" and 128, lower-case hex digits. */
bool digest_is_valid(const char *text);

/* 0 where it is. ERROR_UNSUPPORTED for a digest of another algorithm (image-spec, descriptor.md),
 * else ERROR_INTEGRITY. */
int digest_require(const char *text, struct error *err);

/* The hex part of a valid digest; borrowed from it. */
const char *digest_hex(const char *digest);

/* An incremental hash. Zero-initialised is empty; free with hasher_free() or cleanup_hasher. */
struct hasher {
	void *context;
	char algorithm[8];
};

/* Start with the algorithm of `digest` (a valid digest, or just "sha256"). */
void hasher_start(struct hasher *hasher, const char *digest);
void hasher_update(struct hasher *hasher, const void *data, size_t length);
/* Finish into `digest`; the hasher is empty after it. */
void hasher_finish(struct hasher *hasher, char digest[static DIGEST_SIZE]);
void hasher_free(struct hasher *hasher);
#define cleanup_hasher __attribute__((cleanup(hasher_free)))

/* The digest of bytes in memory, by the algorithm of `like` (a valid digest, or "sha256"). */
void digest_of(const void *data, size_t length, const char *like, char digest[static DIGEST_SIZE]);

/* ERROR_INTEGRITY naming `what` unless the bytes have the expected digest. */
int digest_check(const void *data, size_t length, const char *expected, const char *what,
		 struct error *err);

/* The ChainID of a layer (image-spec, config.md, "Layer ChainID"): `parent` is the ChainID
 * beneath, or NULL for the lowest layer, whose ChainID is its DiffID. */
void digest_chain(const char *parent, const char *diff_id, char chain[static DIGEST_SIZE]);
