/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void crypto_failed(void) __attribute__((noreturn));

/* libcrypto without SHA-2 (a broken provider configuration): nothing can be trusted any more. */
static void crypto_failed(void)
{
	fputs("libcrypto cannot compute digests\n", stderr);
	_Exit(ERROR_FAILED);
}

/* By the name that `digest` begins with, which ends at ":" or the end of the text. */
static const EVP_MD *find_method(const char *digest)
{
	size_t length = strcspn(digest, ":");

	if (length != strlen("sha256"))
		return NULL;
	if (memcmp(digest, "sha256", length) == 0)
		return EVP_sha256();
	return memcmp(digest, "sha512", length) == 0 ? EVP_sha512() : NULL;
}

void hasher_start(struct hasher *hasher, const char *digest)
{
	const EVP_MD *method = find_method(digest);

	hasher_free(hasher);
	hasher->context = EVP_MD_CTX_new();
	if (!method || !hasher->context || EVP_DigestInit_ex(hasher->context, method, NULL) != 1)
		crypto_failed();
	snprintf(hasher->algorithm, sizeof hasher->algorithm, "%.6s", digest);
}

void hasher_update(struct hasher *hasher, const void *data, size_t length)
{
	if (EVP_DigestUpdate(hasher->context, data, length) != 1)
		crypto_failed();
}

void hasher_finish(struct hasher *hasher, char digest[static DIGEST_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int length;

	if (EVP_DigestFinal_ex(hasher->context, raw, &length) != 1)
		crypto_failed();

	int at = snprintf(digest, DIGEST_SIZE, "%s:", hasher->algorithm);
	for (unsigned int i = 0; i < length; i++, at += 2)
		snprintf(digest + at, DIGEST_SIZE - (size_t)at, "%02x", raw[i]);
	hasher_free(hasher);
}

void hasher_free(struct hasher *hasher)
{
	EVP_MD_CTX_free(hasher->context);
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

	if (!digest_is_valid(expected))
		return error_set(err, ERROR_INTEGRITY, "%s: \"%s\" is not a digest", what,
				 expected);
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
