/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sigstore.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "skopeo-c/sigstore_bundle.h"
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

/* ---- Rekor's promises ---- */

#define PAYLOAD	     "data"
#define PAYLOAD_HASH "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"

struct pair {
	EVP_PKEY *key;
	char *public_pem;
	struct sigstore_keys keys; /* the public one */
};

static void pair_make(struct pair *pair)
{
	cleanup_free char *private_pem = NULL;
	struct error err = { 0 };

	*pair = (struct pair){ 0 };
	ok(sigstore_make_key("secret", &private_pem, &pair->public_pem, &err) == 0 &&
		   (pair->key = sigstore_parse_private_key(private_pem, strlen(private_pem),
							   "secret", "k", &err)) &&
		   sigstore_keys_add(&pair->keys, pair->public_pem, strlen(pair->public_pem), "k",
				     &err) == 0,
	   "sigstore: a pair of keys: %s", err.message);
}

static void pair_free(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	free(pair->public_pem);
	sigstore_keys_free(&pair->keys);
}

/* The promise for a log's entry, signed by a key; the caller frees it. */
static char *promise(EVP_PKEY *key, const char *entry)
{
	struct error err;
	cleanup_free char *body = base64_encode(entry, strlen(entry));
	cleanup_free char *payload = xasprintf(
		"{\"body\":\"%s\",\"integratedTime\":1,\"logID\":\"0\",\"logIndex\":2}", body);
	cleanup_free char *timestamp = sigstore_sign(key, payload, strlen(payload), &err);

	return xasprintf("{\"SignedEntryTimestamp\":\"%s\",\"Payload\":%s}", timestamp, payload);
}

/* The entry of a log that says this; the caller frees it. */
static char *entry(const char *kind, const char *signature, const char *public_pem,
		   const char *hash)
{
	cleanup_free char *key = base64_encode(public_pem, strlen(public_pem));

	return xasprintf("{\"kind\":\"%s\",\"apiVersion\":\"0.0.1\",\"spec\":{\"signature\":{"
			 "\"content\":\"%s\",\"publicKey\":{\"content\":\"%s\"}},\"data\":{"
			 "\"hash\":{\"algorithm\":\"sha256\",\"value\":\"%s\"}}}}",
			 kind, signature, key, hash);
}

static void test_rekor(void)
{
	struct pair log, signer, other;
	struct error err = { 0 };

	pair_make(&log);
	pair_make(&signer);
	pair_make(&other);
	cleanup_free char *signature = sigstore_sign(signer.key, PAYLOAD, 4, &err);
	cleanup_free char *again = sigstore_sign(signer.key, PAYLOAD, 4, &err);
	const struct {
		const char *what, *kind, *signature, *public_pem, *hash;
		EVP_PKEY *log;
		enum error_kind error; /* 0: it is good */
	} cases[] = {
		{ "a good one", "hashedrekord", signature, signer.public_pem, PAYLOAD_HASH, log.key,
		  0 },
		{ "by another log", "hashedrekord", signature, signer.public_pem, PAYLOAD_HASH,
		  other.key, ERROR_DENIED },
		{ "about another key", "hashedrekord", signature, other.public_pem, PAYLOAD_HASH,
		  log.key, ERROR_DENIED },
		{ "about another signature", "hashedrekord", again, signer.public_pem, PAYLOAD_HASH,
		  log.key, ERROR_DENIED },
		{ "about another payload", "hashedrekord", signature, signer.public_pem,
		  PAYLOAD_HASH "0", log.key, ERROR_DENIED },
		{ "about something else", "intoto", signature, signer.public_pem, PAYLOAD_HASH,
		  log.key, ERROR_UNSUPPORTED },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_free char *said = entry(cases[i].kind, cases[i].signature,
						cases[i].public_pem, cases[i].hash);
		cleanup_free char *text = promise(cases[i].log, said);
		int status = sigstore_rekor_verify(&log.keys, text, signer.key, signature, PAYLOAD,
						   4, &err);

		ok(cases[i].error ? status < 0 && err.kind == cases[i].error : status == 0,
		   "rekor: a promise: %s", cases[i].what);
	}
	pair_free(&log);
	pair_free(&signer);
	pair_free(&other);
}

/* ---- bundles ---- */

#define IN_TOTO "application/vnd.in-toto+json"
#define SUBJECT "{\"name\":\"a.b/c\",\"digest\":{\"sha256\":\"" PAYLOAD_HASH "\"}}"
#define STATEMENT(version, predicate, subjects)                                                    \
	"{\"_type\":\"" version "\",\"predicateType\":\"" predicate "\",\"subject\":[" subjects "]}"
#define VERSION	  "https://in-toto.io/Statement/v1"
#define PREDICATE "https://sigstore.dev/cosign/sign/v1"
#define EIGHT(x)  x "," x "," x "," x "," x "," x "," x "," x
#define SUBJECTS  EIGHT(EIGHT(SUBJECT))

/* The caller frees it. */
static char *bundle(EVP_PKEY *key, const char *type, const char *statement)
{
	struct error err;
	cleanup_free char *signed_text =
		xasprintf("DSSEv1 %zu %s %zu %s", strlen(type), type, strlen(statement), statement);
	cleanup_free char *signature = sigstore_sign(key, signed_text, strlen(signed_text), &err);
	cleanup_free char *payload = base64_encode(statement, strlen(statement));

	return xasprintf("{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
			 "\"dsseEnvelope\":{\"payloadType\":\"%s\",\"payload\":\"%s\","
			 "\"signatures\":[{\"sig\":\"%s\"}]}}",
			 type, payload, signature);
}

static const struct {
	const char *what, *type, *statement;
	enum error_kind error; /* 0: it is good */
} bundles[] = {
	{ "a good one", IN_TOTO, STATEMENT(VERSION, PREDICATE, SUBJECT), 0 },
	{ "around something else", "text/plain", STATEMENT(VERSION, PREDICATE, SUBJECT),
	  ERROR_INTEGRITY },
	{ "another version", IN_TOTO, STATEMENT(VERSION "0", PREDICATE, SUBJECT),
	  ERROR_UNSUPPORTED },
	{ "of what is in an image", IN_TOTO, STATEMENT(VERSION, PREDICATE "0", SUBJECT),
	  ERROR_DENIED },
	{ "of no image", IN_TOTO, STATEMENT(VERSION, PREDICATE, ""), ERROR_DENIED },
	{ "of as many as may be", IN_TOTO, STATEMENT(VERSION, PREDICATE, SUBJECTS), 0 },
	{ "of one more", IN_TOTO, STATEMENT(VERSION, PREDICATE, SUBJECTS "," SUBJECT),
	  ERROR_INTEGRITY },
};

static void test_bundles(void)
{
	struct pair signer;

	pair_make(&signer);
	for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++) {
		cleanup_free char *text = bundle(signer.key, bundles[i].type, bundles[i].statement);
		cleanup_free char *name = NULL;
		struct error err = { 0 };
		int status = sigstore_bundle_verify(&signer.keys, text, strlen(text),
						    "sha256:" PAYLOAD_HASH, &name, &err);

		ok(bundles[i].error ? status < 0 && err.kind == bundles[i].error
				    : status == 0 && strcmp(name, "a.b/c") == 0,
		   "bundle: %s: %s", bundles[i].what, err.message);
	}
	pair_free(&signer);
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
	test_rekor();
	test_bundles();
	return tap_done();
}
