/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of images (containers-signature(5), cosign's SIGNATURE_SPEC): what they are made of
 * and how files keep them. Who made them is gpg.h's and sigstore.h's business. Pure.
 */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SIGSTORE_PAYLOAD_TYPE	      "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGSTORE_SIGNATURE_ANNOTATION "dev.cosignproject.cosign/signature"
#define SIGSTORE_REKOR_ANNOTATION     "dev.sigstore.cosign/bundle"
#define SIGSTORE_BUNDLE_TYPE	      "application/vnd.dev.sigstore.bundle.v0.3+json"

enum {
	SIGNATURE_MAX = 4 << 20,	/* bytes of one */
	SIGNATURES_MAX = 128,		/* of one manifest */
	SIGNATURES_BYTES_MAX = 16 << 20 /* of all of them */
};

enum signature_kind {
	SIGNATURE_SIMPLE,     /* data: an OpenPGP message around the payload */
	SIGNATURE_ATTACHMENT, /* data: what a layer of the attachment sha256-HEX.sig holds */
	SIGNATURE_BUNDLE      /* data: a sigstore bundle, found among the referrers */
};

struct signature {
	enum signature_kind kind;
	char *data;
	size_t length;
	char *media_type;    /* of an attachment's layer */
	json_t *annotations; /* of that layer, all of them strings */
};

/* Zero-initialised is empty. */
struct signatures {
	struct signature *items;
	size_t count, bytes;
};

/* Take over all of the signature, which is empty then. ERROR_LIMIT where there are too many; then
 * it stays as it is. */
int signatures_add(struct signatures *list, struct signature *signature, struct error *err);
/* Whether the list has a signature of the same bytes. */
bool signatures_have(const struct signatures *list, const struct signature *signature);
bool signatures_have_kind(const struct signatures *list, enum signature_kind kind);
struct signature signature_copy(const struct signature *signature);
void signature_free(struct signature *signature);
void signatures_free(struct signatures *list);
#define cleanup_signature  __attribute__((cleanup(signature_free)))
#define cleanup_signatures __attribute__((cleanup(signatures_free)))

/* True for NULL and an object of nothing but strings. */
bool signature_annotations_are_valid(const json_t *annotations);

/* As a file (of dir:, of a lookaside): an OpenPGP message as it is, an attachment as JSON after a
 * line that begins with NUL. The caller frees it. */
char *signature_to_file(const struct signature *signature, size_t *length);
int signature_from_file(const char *bytes, size_t length, const char *what,
			struct signature *signature, struct error *err);

/* What a signer says: that the manifest with this digest is the image of this name. */
struct signature_payload {
	char digest[DIGEST_SIZE];
	const char *reference; /* borrowed from json */
	json_t *json;
};

/* The types of payload: of OpenPGP messages and of sigstore's attachments. */
#define PAYLOAD_SIMPLE	 "atomic container signature"
#define PAYLOAD_SIGSTORE "cosign container image signature"

/* Read a payload whose signature was found good; strictly: what it says must not be open to two
 * readings. */
int signature_payload_parse(const char *text, size_t length, const char *type,
			    struct signature_payload *payload, struct error *err);
void signature_payload_free(struct signature_payload *payload);
#define cleanup_signature_payload __attribute__((cleanup(signature_payload_free)))

/* The text to sign; the caller frees it. */
char *signature_payload_make(const char *type, const char *digest, const char *reference);
