/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-2 by the low-level functions of libcrypto, which only compute. The first digest by EVP also
 * loads configuration and providers: 0.7 ms in every process, more than mounting an image takes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/digest.h"
#include "lib/memory.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

union state {
	SHA256_CTX sha256;
	SHA512_CTX sha512;
};

static bool is_sha512(const struct hasher *hasher)
{
	return strcmp(hasher->algorithm, "sha512") == 0;
}

void hasher_start(struct hasher *hasher, const char *digest)
{
	union state *state = xcalloc(1, sizeof *state);

	hasher_free(hasher);
	hasher->context = state;
	snprintf(hasher->algorithm, sizeof hasher->algorithm, "%.6s", digest);
	/* these fail only in builds of libcrypto that forbid them altogether */
	if ((is_sha512(hasher) ? SHA512_Init(&state->sha512) : SHA256_Init(&state->sha256)) == 1)
		return;
	fputs("libcrypto cannot compute digests\n", stderr);
	_Exit(ERROR_FAILED);
}

void hasher_update(struct hasher *hasher, const void *data, size_t length)
{
	union state *state = hasher->context;

	if (is_sha512(hasher))
		SHA512_Update(&state->sha512, data, length);
	else
		SHA256_Update(&state->sha256, data, length);
}

void hasher_finish(struct hasher *hasher, char digest[static DIGEST_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[SHA512_DIGEST_LENGTH];
	union state *state = hasher->context;
	size_t length = is_sha512(hasher) ? SHA512_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;

	if (is_sha512(hasher))
		SHA512_Final(raw, &state->sha512);
	else
		SHA256_Final(raw, &state->sha256);

	char *at = digest + snprintf(digest, DIGEST_SIZE, "%s:", hasher->algorithm);
	for (size_t i = 0; i < length; i++) {
		*at++ = hex[raw[i] >> 4];
		*at++ = hex[raw[i] & 15];
	}
	*at = '\0';
	hasher_free(hasher);
}

void hasher_free(struct hasher *hasher)
{
	free(hasher->context);
	hasher->context = NULL;
}

void digest_of(const void *data, size_t length, const char *like, char digest[static DIGEST_SIZE])
{
	struct hasher hasher = { 0 };

	hasher_start(&hasher, like);
	hasher_update(&hasher, data, length);
	hasher_finish(&hasher, digest);
}

int digest_check(const void *data, size_t length, const char *expected, const char *what,
		 struct error *err)
{
	char actual[DIGEST_SIZE];

	if (digest_require(expected, err) < 0)
		return error_prefix(err, "%s", what);
	digest_of(data, length, expected, actual);
	if (strcmp(actual, expected) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s: digest is %s, expected %s", what,
				 actual, expected);
	return 0;
}

void digest_chain(const char *parent, const char *diff_id, char chain[static DIGEST_SIZE])
{
	char both[2 * DIGEST_SIZE + 1];

	if (!parent) {
		snprintf(chain, DIGEST_SIZE, "%s", diff_id);
		return;
	}
	int length = snprintf(both, sizeof both, "%s %s", parent, diff_id);
	digest_of(both, (size_t)length, "sha256", chain);
}
