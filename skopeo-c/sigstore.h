/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and signatures as sigstore and cosign have them: ECDSA, RSA (PKCS #1 v1.5) or Ed25519 by
 * OpenSSL, with SHA-256; private keys encrypted by a passphrase (scrypt, and NaCl's secretbox by
 * libsodium, which is loaded when it is needed).
 */
#pragma once
#include "lib/error.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

struct sigstore_keys {
	EVP_PKEY **items;
	size_t count;
};

enum { SIGSTORE_KEY_MAX = 64 << 10 }; /* bytes of a file with a key */

/* Add a public key in PEM; ERROR_INTEGRITY naming `what`. */
int sigstore_keys_add(struct sigstore_keys *keys, const char *pem, size_t length, const char *what,
		      struct error *err);
void sigstore_keys_free(struct sigstore_keys *keys);
#define cleanup_sigstore_keys __attribute__((cleanup(sigstore_keys_free)))

/* The key that has signed the data, or NULL; borrowed. signature: base64. */
EVP_PKEY *sigstore_find_signer(const struct sigstore_keys *keys, const void *data, size_t length,
			       const char *signature);

/* Sign; base64 that the caller frees, or NULL. */
char *sigstore_sign(EVP_PKEY *key, const void *data, size_t length, struct error *err);

/* Read a file with an encrypted private key. ERROR_DENIED where the passphrase is wrong. The caller
 * frees the key with EVP_PKEY_free(). */
EVP_PKEY *sigstore_read_private_key(const char *path, const char *passphrase, struct error *err);

/* The same from the file's content. */
EVP_PKEY *sigstore_parse_private_key(const char *pem, size_t length, const char *passphrase,
				     const char *what, struct error *err);

/* A new key for ECDSA on P-256: its two parts in PEM, the private one encrypted; the caller frees
 * them. */
int sigstore_make_key(const char *passphrase, char **private_pem, char **public_pem,
		      struct error *err);
