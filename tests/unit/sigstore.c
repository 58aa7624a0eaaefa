/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sigstore.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* A pair of keys is made, read again, signs, and is found to have signed just that. */
static void test_pair(const char *private_pem, const char *public_pem)
{
	struct error err = { 0 };
	cleanup_sigstore_keys struct sigstore_keys keys = { 0 };
	EVP_PKEY *key =
		sigstore_parse_private_key(private_pem, strlen(private_pem), "secret", "k", &err);

	ok(key, "sigstore: the private key opens: %s", err.message);
	ok(sigstore_keys_add(&keys, public_pem, strlen(public_pem), "k", &err) == 0,
	   "sigstore: the public key is one");
	cleanup_free char *signature = key ? sigstore_sign(key, "data", 4, &err) : NULL;
	ok(signature && sigstore_find_signer(&keys, "data", 4, signature) == keys.items[0],
	   "sigstore: it has signed");
	ok(signature && !sigstore_find_signer(&keys, "dat", 3, signature),
	   "sigstore: and nothing else");
	ok(!sigstore_find_signer(&keys, "data", 4, "") &&
		   !sigstore_find_signer(&keys, "data", 4, "!") &&
		   !sigstore_find_signer(&keys, "data", 4, "aGk="),
	   "sigstore: what is no signature");
	EVP_PKEY_free(key);
}

static void test_wrong(const char *private_pem, const char *public_pem)
{
	cleanup_sigstore_keys struct sigstore_keys keys = { 0 };
	struct error err = { 0 };

	ok(!sigstore_parse_private_key(private_pem, strlen(private_pem), "Secret", "k", &err) &&
		   err.kind == ERROR_DENIED,
	   "sigstore: another passphrase");
	ok(!sigstore_parse_private_key(public_pem, strlen(public_pem), "secret", "k", &err) &&
		   err.kind == ERROR_INTEGRITY,
	   "sigstore: a public key is no private one");
	ok(sigstore_keys_add(&keys, private_pem, strlen(private_pem), "k", &err) < 0 &&
		   err.kind == ERROR_INTEGRITY,
	   "sigstore: nor the other way round");
	ok(sigstore_keys_add(&keys, "", 0, "k", &err) < 0, "sigstore: nothing is no key");
}

int main(void)
{
	cleanup_free char *private_pem = NULL, *public_pem = NULL;
	struct error err = { 0 };

	ok(sigstore_make_key("secret", &private_pem, &public_pem, &err) == 0, "sigstore: %s",
	   err.message);
	if (private_pem) {
		test_pair(private_pem, public_pem);
		test_wrong(private_pem, public_pem);
	}
	return tap_done();
}
