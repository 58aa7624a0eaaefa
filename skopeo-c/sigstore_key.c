/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted private keys: PEM around JSON {kdf, cipher, ciphertext}, which is go-securesystemslib's
 * "encrypted" format. */
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/library.h"
#include "lib/memory.h"
#include "skopeo-c/sigstore.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* what older readers of the format know; they read no other name */
#define PEM_NAME       "ENCRYPTED COSIGN PRIVATE KEY"
#define PEM_NAME_NEWER "ENCRYPTED SIGSTORE PRIVATE KEY"

enum {
	SALT_SIZE = 32,
	SCRYPT_N = 65536,
	SCRYPT_R = 8,
	SCRYPT_P = 1,
	SCRYPT_MEMORY_MAX = 256 << 20, /* bytes that a key may make us use */
	SCRYPT_P_MAX = 4,
	SALT_MAX = 1024
};

#define FUNCTIONS(X)                                                                               \
	X(crypto_secretbox_easy)                                                                   \
	X(crypto_secretbox_open_easy)                                                              \
	X(sodium_init)

static struct sodium_functions {
#define X(name) __typeof__(name) *name;
	FUNCTIONS(X)
#undef X
} sodium; /* loaded once */

static int load(struct error *err)
{
	static const char *const symbols[] = {
#define X(name) #name,
		FUNCTIONS(X)
#undef X
			NULL
	};

	if (!sodium.sodium_init &&
	    library_load("libsodium.so.23", "sigstore's private keys need libsodium", symbols,
			 &sodium, err) < 0)
		return -1;
	return sodium.sodium_init() < 0 ? error_set(err, ERROR_FAILED, "libsodium does not start")
					: 0;
}

/* ---- the secret box ---- */

struct box {
	uint64_t n, r, p;
	unsigned char *salt, *text; /* text: the tag and the encrypted bytes */
	size_t salt_length, text_length;
	unsigned char nonce[crypto_secretbox_NONCEBYTES];
};

static void box_free(struct box *box)
{
	free(box->salt);
	free(box->text);
}

#define cleanup_box __attribute__((cleanup(box_free)))

static int derive(const struct box *box, const char *passphrase,
		  unsigned char key[static crypto_secretbox_KEYBYTES], struct error *err)
{
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), box->salt, box->salt_length, box->n,
			   box->r, box->p, SCRYPT_MEMORY_MAX + (1 << 20), key,
			   crypto_secretbox_KEYBYTES) == 1)
		return 0;
	return error_set(err, ERROR_FAILED, "scrypt does not work with N=%llu",
			 (unsigned long long)box->n);
}

/* Bytes from base64; NULL where they are none or too many. */
static unsigned char *decode(const char *text, size_t max, size_t *length)
{
	size_t text_length = strlen(text);
	cleanup_free unsigned char *bytes = xcalloc(1, text_length / 4 * 3 + 3);
	ssize_t got = base64_decode(text, text_length, bytes);

	if (got < 0 || (size_t)got > max)
		return NULL;
	*length = (size_t)got;
	return steal_ptr(&bytes);
}

/* scrypt's memory is 128 r N bytes, its work p times that. */
static bool is_bounded(json_int_t n, json_int_t r, json_int_t p)
{
	return n > 1 && (n & (n - 1)) == 0 && r > 0 && r <= 64 && p > 0 && p <= SCRYPT_P_MAX &&
	       n <= SCRYPT_MEMORY_MAX / 128 / r;
}

static int read_box(json_t *json, const char *what, struct box *box, struct error *err)
{
	const char *kdf, *salt, *cipher, *nonce_text, *text;
	json_int_t n, r, p;
	size_t nonce_length = 0;

	if (json_require(json, what, err, "{s:{s:s, s:{s:I, s:I, s:I}, s:s}, s:{s:s, s:s}, s:s}",
			 "kdf", "name", &kdf, "params", "N", &n, "r", &r, "p", &p, "salt", &salt,
			 "cipher", "name", &cipher, "nonce", &nonce_text, "ciphertext", &text) < 0)
		return -1;
	if (strcmp(kdf, "scrypt") != 0 || strcmp(cipher, "nacl/secretbox") != 0)
		return error_set(err, ERROR_UNSUPPORTED, "%s is encrypted by %s and %s", what, kdf,
				 cipher);
	if (!is_bounded(n, r, p))
		return error_set(err, ERROR_LIMIT, "%s wants more work of scrypt than is allowed",
				 what);
	cleanup_free unsigned char *nonce = decode(nonce_text, sizeof box->nonce, &nonce_length);
	box->salt = decode(salt, SALT_MAX, &box->salt_length);
	box->text = decode(text, SIGSTORE_KEY_MAX, &box->text_length);
	if (!nonce || nonce_length != sizeof box->nonce || !box->salt || !box->text ||
	    box->text_length < crypto_secretbox_MACBYTES)
		return error_set(err, ERROR_INTEGRITY, "%s is malformed", what);
	memcpy(box->nonce, nonce, sizeof box->nonce);
	box->n = (uint64_t)n;
	box->r = (uint64_t)r;
	box->p = (uint64_t)p;
	return 0;
}

static EVP_PKEY *parse_pkcs8(const unsigned char *der, size_t length, const char *what,
			     struct error *err)
{
	const unsigned char *at = der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)length);
	EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (!key)
		error_set(err, ERROR_INTEGRITY, "%s does not hold a private key", what);
	return key;
}

static EVP_PKEY *open_box(const struct box *box, const char *passphrase, const char *what,
			  struct error *err)
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	size_t length = box->text_length - crypto_secretbox_MACBYTES;
	EVP_PKEY *result = NULL;

	if (load(err) < 0 || derive(box, passphrase, key, err) < 0)
		return NULL;
	unsigned char *der = OPENSSL_zalloc(length + 1);
	if (!der || sodium.crypto_secretbox_open_easy(der, box->text, box->text_length, box->nonce,
						      key) != 0) {
		error_set(err, ERROR_DENIED, "the passphrase for %s is wrong", what);
		error_hint(err, "--sign-passphrase-file names a file with it");
	} else {
		result = parse_pkcs8(der, length, what, err);
	}
	OPENSSL_clear_free(der, length + 1);
	OPENSSL_cleanse(key, sizeof key);
	return result;
}

EVP_PKEY *sigstore_parse_private_key(const char *pem, size_t length, const char *passphrase,
				     const char *what, struct error *err)
{
	BIO *in = length < INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *text = NULL;
	long text_length = 0;
	cleanup_box struct box box = { 0 };
	bool is_key = in && PEM_read_bio(in, &name, &header, &text, &text_length) == 1 &&
		      (strcmp(name, PEM_NAME) == 0 || strcmp(name, PEM_NAME_NEWER) == 0);
	json_auto_t *json =
		is_key ? json_parse((const char *)text, (size_t)text_length, what, err) : NULL;

	BIO_free(in);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(text);
	if (!is_key)
		error_set(err, ERROR_INTEGRITY, "%s is not an encrypted private key of sigstore's",
			  what);
	if (!json || read_box(json, what, &box, err) < 0)
		return NULL;
	return open_box(&box, passphrase, what, err);
}

EVP_PKEY *sigstore_read_private_key(const char *path, const char *passphrase, struct error *err)
{
	size_t length;
	cleanup_free char *pem = file_read_at(AT_FDCWD, path, SIGSTORE_KEY_MAX, &length, err);

	if (pem)
		return sigstore_parse_private_key(pem, length, passphrase, path, err);
	error_missing_is(err, ERROR_USAGE);
	return NULL;
}

/* ---- a new key ---- */

static json_t *box_json(const struct box *box)
{
	cleanup_free char *salt = base64_encode(box->salt, box->salt_length);
	cleanup_free char *nonce = base64_encode(box->nonce, sizeof box->nonce);
	cleanup_free char *text = base64_encode(box->text, box->text_length);

	return json_pack("{s:{s:s, s:{s:I, s:I, s:I}, s:s}, s:{s:s, s:s}, s:s}", "kdf", "name",
			 "scrypt", "params", "N", (json_int_t)box->n, "r", (json_int_t)box->r, "p",
			 (json_int_t)box->p, "salt", salt, "cipher", "name", "nacl/secretbox",
			 "nonce", nonce, "ciphertext", text);
}

static int close_box(const unsigned char *der, size_t length, const char *passphrase,
		     struct box *box, struct error *err)
{
	unsigned char key[crypto_secretbox_KEYBYTES];

	box->n = SCRYPT_N;
	box->r = SCRYPT_R;
	box->p = SCRYPT_P;
	box->salt_length = SALT_SIZE;
	box->salt = xcalloc(1, SALT_SIZE);
	box->text_length = length + crypto_secretbox_MACBYTES;
	box->text = xcalloc(1, box->text_length);
	if (RAND_bytes(box->salt, SALT_SIZE) != 1 || RAND_bytes(box->nonce, sizeof box->nonce) != 1)
		return error_set(err, ERROR_FAILED, "OpenSSL has no random numbers");
	if (load(err) < 0 || derive(box, passphrase, key, err) < 0)
		return -1;
	sodium.crypto_secretbox_easy(box->text, der, length, box->nonce, key);
	OPENSSL_cleanse(key, sizeof key);
	return 0;
}

/* What a memory BIO holds, as text; it is freed. */
static char *bio_text(BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);
	char *text = xstrndup(bytes, (size_t)length);

	BIO_free(bio);
	return text;
}

static char *encrypt_key(EVP_PKEY *key, const char *passphrase, struct error *err)
{
	cleanup_box struct box box = { 0 };
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	int status = length <= 0 ? error_set(err, ERROR_FAILED, "OpenSSL cannot write a key")
				 : close_box(der, (size_t)length, passphrase, &box, err);

	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_clear_free(der, length > 0 ? (size_t)length : 0);
	if (status < 0)
		return NULL;
	json_auto_t *json = box_json(&box);
	/* older readers have the members in this order, and no other reader minds */
	cleanup_free char *text = json_dumps(json, JSON_COMPACT);
	BIO *out = BIO_new(BIO_s_mem());
	PEM_write_bio(out, PEM_NAME, "", (const unsigned char *)text, (long)strlen(text));
	return bio_text(out);
}

int sigstore_make_key(const char *passphrase, char **private_pem, char **public_pem,
		      struct error *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *out = BIO_new(BIO_s_mem());

	if (!key || !out || PEM_write_bio_PUBKEY(out, key) != 1) {
		EVP_PKEY_free(key);
		BIO_free(out);
		return error_set(err, ERROR_FAILED, "OpenSSL cannot make a key");
	}
	cleanup_free char *public_text = bio_text(out);
	char *private_text = encrypt_key(key, passphrase, err);
	EVP_PKEY_free(key);
	if (!private_text)
		return -1;
	*private_pem = private_text;
	*public_pem = steal_ptr(&public_text);
	return 0;
}
