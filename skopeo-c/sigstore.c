/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sigstore.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, SIGNATURE_TEXT_MAX = 4096 };

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

#define cleanup_context __attribute__((cleanup(free_context)))

/* ---- public keys ---- */

static bool is_usable(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519:
		return true;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
	default:
		return false;
	}
}

int sigstore_keys_add(struct sigstore_keys *keys, const char *pem, size_t length, const char *what,
		      struct error *err)
{
	BIO *in = length < INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	if (!key)
		return error_set(err, ERROR_INTEGRITY, "%s is not a public key in PEM", what);
	if (!is_usable(key)) {
		EVP_PKEY_free(key);
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: keys are for ECDSA, Ed25519 or RSA of %d bits or more", what,
				 RSA_BITS_MIN);
	}
	keys->items = xgrow(keys->items, keys->count, sizeof(EVP_PKEY *));
	keys->items[keys->count++] = key;
	return 0;
}

void sigstore_keys_free(struct sigstore_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->items[i]);
	free(keys->items);
	*keys = (struct sigstore_keys){ 0 };
}

/* ---- signatures ---- */

/* Ed25519 hashes by itself. */
static const EVP_MD *hash_for(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

static bool has_signed(EVP_PKEY *key, const void *data, size_t length,
		       const unsigned char *signature, size_t signature_length)
{
	cleanup_context EVP_MD_CTX *context = EVP_MD_CTX_new();

	return context && EVP_DigestVerifyInit(context, NULL, hash_for(key), NULL, key) == 1 &&
	       EVP_DigestVerify(context, signature, signature_length, data, length) == 1;
}

EVP_PKEY *sigstore_find_signer(const struct sigstore_keys *keys, const void *data, size_t length,
			       const char *signature)
{
	unsigned char decoded[SIGNATURE_TEXT_MAX];
	size_t text_length = strlen(signature);

	if (text_length > SIGNATURE_TEXT_MAX)
		return NULL;
	ssize_t decoded_length = base64_decode(signature, text_length, decoded);
	if (decoded_length <= 0)
		return NULL;
	for (size_t i = 0; i < keys->count; i++)
		if (has_signed(keys->items[i], data, length, decoded, (size_t)decoded_length))
			return keys->items[i];
	return NULL;
}

char *sigstore_sign(EVP_PKEY *key, const void *data, size_t length, struct error *err)
{
	cleanup_context EVP_MD_CTX *context = EVP_MD_CTX_new();
	cleanup_free unsigned char *signature = NULL;
	size_t size = 0;

	if (context && EVP_DigestSignInit(context, NULL, hash_for(key), NULL, key) == 1 &&
	    EVP_DigestSign(context, NULL, &size, data, length) == 1) {
		signature = xcalloc(1, size);
		if (EVP_DigestSign(context, signature, &size, data, length) == 1)
			return base64_encode(signature, size);
	}
	error_set(err, ERROR_FAILED, "OpenSSL cannot sign with the sigstore key");
	return NULL;
}
