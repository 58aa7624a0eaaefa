/* SPDX-License-Identifier: Apache-2.0 */
/* Rekor's signed entry timestamps: JSON {SignedEntryTimestamp, Payload} beside a signature. The
 * timestamp is a signature of the payload in canonical JSON (RFC 8785); the payload's body is the
 * log's entry, a "hashedrekord". */
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/sigstore_bundle.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static const char what[] = "Rekor's promise for a signature";

static int wrong(struct error *err, const char *why)
{
	return error_set(err, ERROR_DENIED, "%s %s", what, why);
}

/* Text whose canonical form is itself between quotes. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

/* The payload as Rekor has signed it; its texts are base64 and hex. NULL where they are not. */
static char *canonical(const char *body, json_int_t time, const char *log_id, json_int_t index)
{
	if (!is_plain(body) || !is_plain(log_id))
		return NULL;
	return xasprintf("{\"body\":\"%s\",\"integratedTime\":%lld,\"logID\":\"%s\","
			 "\"logIndex\":%lld}",
			 body, (long long)time, log_id, (long long)index);
}

/* Check the timestamp; the log's entry is the caller's to free. */
static char *open_promise(const struct sigstore_keys *rekor, const char *promise, size_t *length,
			  struct error *err)
{
	json_auto_t *json = json_parse(promise, strlen(promise), what, err);
	const char *timestamp, *body, *log_id;
	json_int_t time, index;

	if (!json ||
	    json_require(json, what, err, "{s:s, s:{s:s, s:I, s:I, s:s !} !}",
			 "SignedEntryTimestamp", &timestamp, "Payload", "body", &body,
			 "integratedTime", &time, "logIndex", &index, "logID", &log_id) < 0)
		return NULL;
	cleanup_free char *text = canonical(body, time, log_id, index);
	if (!text || !sigstore_find_signer(rekor, text, strlen(text), timestamp)) {
		wrong(err, "is not signed by its key");
		return NULL;
	}
	cleanup_free char *entry = xcalloc(1, strlen(body) / 4 * 3 + 4);
	ssize_t got = base64_decode(body, strlen(body), (unsigned char *)entry);
	if (got < 0) {
		wrong(err, "is malformed");
		return NULL;
	}
	*length = (size_t)got;
	return steal_ptr(&entry);
}

/* True when the text, base64 of PEM, is this public key. */
static bool is_key(const char *text, const EVP_PKEY *key)
{
	cleanup_free char *pem = xcalloc(1, strlen(text) / 4 * 3 + 4);
	ssize_t length = base64_decode(text, strlen(text), (unsigned char *)pem);
	struct sigstore_keys keys = { 0 };
	struct error ignored;
	bool same = length > 0 &&
		    sigstore_keys_add(&keys, pem, (size_t)length, "key", &ignored) == 0 &&
		    EVP_PKEY_eq(keys.items[0], key) == 1;

	sigstore_keys_free(&keys);
	return same;
}

static bool is_same_base64(const char *one, const char *other)
{
	cleanup_free unsigned char *a = xcalloc(1, strlen(one) / 4 * 3 + 3);
	cleanup_free unsigned char *b = xcalloc(1, strlen(other) / 4 * 3 + 3);
	ssize_t a_length = base64_decode(one, strlen(one), a);
	ssize_t b_length = base64_decode(other, strlen(other), b);

	return a_length > 0 && a_length == b_length && memcmp(a, b, (size_t)a_length) == 0;
}

int sigstore_rekor_verify(const struct sigstore_keys *rekor, const char *promise, EVP_PKEY *signer,
			  const char *signature, const void *payload, size_t length,
			  struct error *err)
{
	size_t entry_length;
	cleanup_free char *entry = open_promise(rekor, promise, &entry_length, err);
	json_auto_t *json = entry ? json_parse(entry, entry_length, what, err) : NULL;
	const char *kind, *version, *content, *key, *algorithm, *hash;
	char digest[DIGEST_SIZE];

	if (!json ||
	    json_require(json, what, err, "{s:s, s:s, s:{s:{s:s, s:{s:s}}, s:{s:{s:s, s:s}}}}",
			 "kind", &kind, "apiVersion", &version, "spec", "signature", "content",
			 &content, "publicKey", "content", &key, "data", "hash", "algorithm",
			 &algorithm, "value", &hash) < 0)
		return -1;
	if (strcmp(kind, "hashedrekord") != 0 || strcmp(version, "0.0.1") != 0 ||
	    strcmp(algorithm, "sha256") != 0)
		return error_set(err, ERROR_UNSUPPORTED, "%s is about a %s %s with %s", what, kind,
				 version, algorithm);
	if (!is_key(key, signer))
		return wrong(err, "is about another key");
	if (!is_same_base64(content, signature))
		return wrong(err, "is about another signature");
	digest_of(payload, length, "sha256", digest);
	if (strcmp(hash, digest_hex(digest)) != 0)
		return wrong(err, "is about another payload");
	return 0;
}
