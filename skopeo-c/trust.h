/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust in images that are copied: the policy decides whether an image may come, its signatures
 * come along, and new ones are made.
 */
#pragma once
#include "lib/error.h"
#include "skopeo-c/policy_judge.h"
#include "skopeo-c/signature.h"

#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

struct gpg;
struct manifest;
struct plan;
struct transport;

/* What the user said; the strings are borrowed from argv. */
struct trust_options {
	const char *policy, *registries_d;
	bool insecure_policy, require_signed, remove_signatures, remove_list_signatures;
	const char *sign_by, *sign_by_sq, *sign_by_sigstore, *sign_by_sigstore_key;
	const char *passphrase_file, *identity;
};

/* The options that fill the field copy.trust of a command; FIELD() is the command's own offsetof.
 */
/* clang-format off */
#define TRUST_OPTIONS \
	{ "policy", 0, "FILE", OPTION_STRING, FIELD(copy.trust.policy), \
	  "signature policy, instead of the usual policy.json" }, \
	{ "insecure-policy", 0, NULL, OPTION_FLAG, FIELD(copy.trust.insecure_policy), \
	  "accept any image, whatever policy.json says" }, \
	{ "require-signed", 0, NULL, OPTION_FLAG, FIELD(copy.trust.require_signed), \
	  "accept no unsigned image, whatever policy.json says" }, \
	{ "registries.d", 0, "DIR", OPTION_STRING, FIELD(copy.trust.registries_d), \
	  "signature storage configuration, instead of registries.d" }, \
	{ "remove-signatures", 0, NULL, OPTION_FLAG, FIELD(copy.trust.remove_signatures), \
	  "do not copy signatures" }, \
	{ "remove-list-signatures", 0, NULL, OPTION_FLAG, \
	  FIELD(copy.trust.remove_list_signatures), \
	  "do not copy signatures of an index, only of its images" }, \
	{ "sign-by", 0, "KEY", OPTION_STRING, FIELD(copy.trust.sign_by), \
	  "sign with a GPG key: a fingerprint, key id or user id" }, \
	{ "sign-by-sigstore", 0, "FILE", OPTION_STRING, FIELD(copy.trust.sign_by_sigstore), \
	  "sign as containers-sigstore-signing-params.yaml(5) says" }, \
	{ "sign-by-sigstore-private-key", 0, "FILE", OPTION_STRING, \
	  FIELD(copy.trust.sign_by_sigstore_key), "sign with a sigstore private key" }, \
	{ "sign-passphrase-file", 0, "FILE", OPTION_STRING, FIELD(copy.trust.passphrase_file), \
	  "file with the key's passphrase in its first line" }, \
	{ "sign-identity", 0, "NAME", OPTION_STRING, FIELD(copy.trust.identity), \
	  "image name to sign for (default: the destination)" }, \
	{ "sign-by-sq-fingerprint", 0, "KEY", OPTION_STRING, FIELD(copy.trust.sign_by_sq), NULL }
/* clang-format on */

/* For one command, however many images it copies. Free with trust_close(). */
struct trust {
	const struct trust_options *options;
	json_t *policy;
	struct policy_judge judge;
	struct gpg *gpg;  /* to sign with, or NULL */
	EVP_PKEY *key;	  /* the same of sigstore's */
	char *passphrase; /* of the GPG key, or NULL */
};

/* Read the policy and what is needed to sign, so that what is wrong there shows before anything is
 * copied. */
int trust_open(const struct trust_options *options, struct trust *trust, struct error *err);
void trust_close(struct trust *trust);
#define cleanup_trust __attribute__((cleanup(trust_close)))

/* The signatures of the manifests of one image. Zero-initialised is empty. */
struct trust_image {
	struct trust_set {
		char digest[DIGEST_SIZE];
		struct signatures signatures;
	} * sets;
	size_t count;
	bool any; /* there is at least one signature */
};

void trust_image_free(struct trust_image *image);
/* Drop sigstore's, which are copied as what refers to the image. */
void trust_image_drop_sigstore(struct trust_image *image);
/* Add copies of the signatures that a manifest has, but for its bundles: those are referrers. */
int trust_image_copy(const struct trust_image *image, const char *digest,
		     struct signatures *signatures, struct error *err);
#define cleanup_trust_image __attribute__((cleanup(trust_image_free)))

/* ERROR_DENIED where the policy lets no image of the source's name in: before it is asked for. */
int trust_admit(const struct trust *trust, const struct transport *from, struct error *err);

/* ERROR_DENIED unless the policy allows the planned manifests. An image is allowed by its own
 * signatures or by those of an index that names it. What signatures there are is kept in `image`,
 * to be copied. */
int trust_check(struct trust *trust, struct transport *from, const struct plan *plan,
		struct trust_image *image, struct error *err);

/* True where an image of the source's name is taken and kept whatever is in it, and nothing is to
 * be signed; its signatures, which come along, are asked for by trust_finds_signatures(). */
bool trust_is_indifferent(const struct trust *trust, const struct transport *from);
/* Whether the manifest of that digest has signatures that would be copied; 1, 0, or -1. */
int trust_finds_signatures(const struct trust *trust, struct transport *from, const char *digest,
			   struct error *err);

/* See that a destination of that name can keep the signatures that there are and that shall be
 * made, before it is opened. */
int trust_check_destination(const struct trust *trust, const char *name,
			    const struct trust_image *image, struct error *err);

/* Add the signatures that a destination has of a manifest, also those not published yet. */
int trust_read_destination(struct transport *to, const struct manifest *manifest,
			   struct signatures *signatures, struct error *err);

/* See that the destination, which was asked what it has, can be given the signatures of the
 * manifest with this digest, before anything else is. */
int trust_check_put(const struct trust *trust, const struct transport *to, const char *digest,
		    const struct trust_image *image, struct error *err);

/* Give the destination the signatures of a manifest, those that came with it and new ones, before
 * the manifest itself. */
int trust_put(const struct trust *trust, struct transport *to, const struct manifest *manifest,
	      bool is_top, const struct trust_image *image, struct error *err);
