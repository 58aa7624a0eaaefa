/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sigstore_bundle.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <stdio.h>
#include <string.h>

#define STATEMENT_TYPE	    "application/vnd.in-toto+json"
#define STATEMENT_VERSION   "https://in-toto.io/Statement/v1"
#define SIGNATURE_PREDICATE "https://sigstore.dev/cosign/sign/v1"

enum { SUBJECTS_MAX = 64 };

static int malformed(struct error *err, const char *why)
{
	return error_set(err, ERROR_INTEGRITY, "a sigstore bundle is malformed: %s", why);
}

/* What DSSE signs: "DSSEv1 LENGTH TYPE LENGTH PAYLOAD" (its pre-authentication encoding). */
static char *signed_text(const char *type, const unsigned char *payload, size_t payload_length,
			 size_t *length)
{
	size_t room = sizeof "DSSEv1   " + 2 * sizeof "18446744073709551615" + strlen(type);
	char *text = xcalloc(1, room + payload_length);
	int head = snprintf(text, room, "DSSEv1 %zu %s %zu ", strlen(type), type, payload_length);

	memcpy(text + head, payload, payload_length);
	*length = (size_t)head + payload_length;
	return text;
}

/* Check the envelope; its payload, which a key has signed then, is the caller's to free. */
static char *open_envelope(const struct sigstore_keys *keys, json_t *envelope, size_t *length,
			   struct error *err)
{
	static const char what[] = "the envelope of a sigstore bundle";
	const char *type, *text, *signature;
	size_t signed_length;

	if (json_require(envelope, what, err, "{s:s, s:s, s:[{s:s} !]}", "payloadType", &type,
			 "payload", &text, "signatures", "sig", &signature) < 0)
		return NULL;
	if (strcmp(type, STATEMENT_TYPE) != 0) {
		error_set(err, ERROR_INTEGRITY, "%s is around \"%s\"", what, type);
		return NULL;
	}
	cleanup_free char *payload = xcalloc(1, strlen(text) / 4 * 3 + 4);
	ssize_t got = base64_decode(text, strlen(text), (unsigned char *)payload);
	if (got < 0) {
		malformed(err, "its payload is not base64");
		return NULL;
	}
	payload[got] = '\0';
	cleanup_free char *all =
		signed_text(type, (unsigned char *)payload, (size_t)got, &signed_length);
	if (!sigstore_find_signer(keys, all, signed_length, signature)) {
		error_set(err, ERROR_DENIED, "a bundle is signed by none of the keys");
		return NULL;
	}
	*length = (size_t)got;
	return steal_ptr(&payload);
}

/* The subject of the statement that has the digest; borrowed. */
static const json_t *find_subject(const json_t *subjects, const char *digest)
{
	cleanup_free char *algorithm = xstrndup(digest, strcspn(digest, ":"));
	const json_t *subject;
	size_t i;

	json_array_foreach (subjects, i, subject) {
		const char *hex = json_text(json_object_get(subject, "digest"), algorithm, "");

		if (strcmp(hex, digest_hex(digest)) == 0)
			return subject;
	}
	return NULL;
}

static int read_statement(const char *text, size_t length, const char *digest, char **name,
			  struct error *err)
{
	static const char what[] = "the statement of a sigstore bundle";
	json_auto_t *statement = json_parse(text, length, what, err);
	const char *version, *predicate;
	json_t *subjects;

	if (!statement || json_require(statement, what, err, "{s:s, s:s, s:o}", "_type", &version,
				       "predicateType", &predicate, "subject", &subjects) < 0)
		return -1;
	if (strcmp(version, STATEMENT_VERSION) != 0)
		return error_set(err, ERROR_UNSUPPORTED, "%s is of the type \"%s\"", what, version);
	/* who attests to what is in an image does not thereby approve of it */
	if (strcmp(predicate, SIGNATURE_PREDICATE) != 0)
		return error_set(err, ERROR_DENIED, "a bundle attests \"%s\", it is no signature",
				 predicate);
	if (json_array_size(subjects) > SUBJECTS_MAX)
		return malformed(err, "it has too many subjects");
	const json_t *subject = find_subject(subjects, digest);
	if (!subject)
		return error_set(err, ERROR_DENIED, "a bundle is for another image");
	const char *named = json_text(subject, "name", "");
	*name = named[0] ? xstrdup(named) : NULL;
	return 0;
}

int sigstore_bundle_verify(const struct sigstore_keys *keys, const char *bundle, size_t length,
			   const char *digest, char **name, struct error *err)
{
	json_auto_t *json = json_parse(bundle, length, "a sigstore bundle", err);
	json_t *envelope = json_object_get(json, "dsseEnvelope");
	size_t payload_length;

	if (!json)
		return -1;
	if (strncmp(json_text(json, "mediaType", ""), "application/vnd.dev.sigstore.bundle", 35) !=
	    0)
		return malformed(err, "it does not say that it is one");
	if (!envelope)
		return malformed(err, "it has no envelope");
	cleanup_free char *payload = open_envelope(keys, envelope, &payload_length, err);
	return payload ? read_statement(payload, payload_length, digest, name, err) : -1;
}
