/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/policy_judge.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/gpg.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/policy_keys.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/sigstore_bundle.h"

#include <stdlib.h>
#include <string.h>

void policy_judge_free(struct policy_judge *judge)
{
	for (size_t i = 0; i < judge->count; i++)
		policy_keys_free(&judge->keys[i]);
	free(judge->keys);
	*judge = (struct policy_judge){ 0 };
}

static bool has_type(const json_t *requirement, const char *type)
{
	return strcmp(json_text(requirement, "type", ""), type) == 0;
}

static bool any_has_type(const json_t *requirements, const char *type)
{
	const json_t *requirement;
	size_t i;

	json_array_foreach (requirements, i, requirement) {
		if (has_type(requirement, type))
			return true;
	}
	return false;
}

bool policy_rejects_all(const json_t *requirements)
{
	return any_has_type(requirements, "reject");
}

bool policy_accepts_all(const json_t *requirements)
{
	const json_t *requirement;
	size_t i;

	json_array_foreach (requirements, i, requirement) {
		if (!has_type(requirement, "insecureAcceptAnything"))
			return false;
	}
	return true;
}

bool policy_wants_sigstore(const json_t *requirements)
{
	return any_has_type(requirements, "sigstoreSigned");
}

bool policy_wants_signatures(const json_t *requirements)
{
	return policy_wants_sigstore(requirements) || any_has_type(requirements, "signedBy");
}

/* The keys of a requirement; borrowed, valid until the next call. */
static const struct policy_keys *keys_of(struct policy_judge *judge, const json_t *requirement,
					 struct error *err)
{
	struct policy_keys keys;

	for (size_t i = 0; i < judge->count; i++)
		if (judge->keys[i].requirement == requirement)
			return &judge->keys[i];
	if (policy_keys_read(requirement, &keys, err) < 0) {
		/* that a key is missing does not mean that the image is */
		error_missing_is(err, ERROR_DENIED);
		error_prefix(err, "the keys that the policy names");
		return NULL;
	}
	judge->keys = xgrow(judge->keys, judge->count, sizeof *judge->keys);
	judge->keys[judge->count] = keys;
	return &judge->keys[judge->count++];
}

/* ---- what a signature says ---- */

static bool is_digest_of(const char *digest, const struct manifest *manifest)
{
	char actual[DIGEST_SIZE];

	if (strcmp(digest, manifest->digest) == 0)
		return true;
	digest_of(manifest->bytes, manifest->length, digest, actual);
	return strcmp(digest, actual) == 0;
}

static int check_name(const json_t *requirement, const struct policy_case *image, const char *name,
		      struct error *err)
{
	if (policy_identity_matches(json_object_get(requirement, "signedIdentity"),
				    image->reference, name))
		return 0;
	return error_set(err, ERROR_DENIED, "a signature is for the name \"%s\"", name);
}

/* A payload whose signature is good: is it about this image? */
static int check_payload(const json_t *requirement, const struct policy_case *image,
			 const char *text, size_t length, const char *type, struct error *err)
{
	cleanup_signature_payload struct signature_payload payload = { 0 };

	if (signature_payload_parse(text, length, type, &payload, err) < 0)
		return -1;
	if (!is_digest_of(payload.digest, image->manifest))
		return error_set(err, ERROR_DENIED, "a signature is for another image, %s",
				 payload.digest);
	return check_name(requirement, image, payload.reference, err);
}

/* ---- kinds of signatures ---- */

static int check_simple(const struct policy_keys *keys, const struct policy_case *image,
			const struct signature *signature, struct error *err)
{
	cleanup_free char *content = NULL;
	struct gpg_signer signer;
	size_t length;

	if (gpg_verify(keys->gpg, signature->data, signature->length, &content, &length, &signer,
		       err) < 0)
		return -1;
	if (!gpg_has_added(keys->gpg, &signer))
		return error_set(err, ERROR_DENIED, "a signature is by %s", signer.primary);
	return check_payload(keys->requirement, image, content, length, PAYLOAD_SIMPLE, err);
}

static int check_attachment(const struct policy_keys *keys, const struct policy_case *image,
			    const struct signature *signature, struct error *err)
{
	const char *text = json_text(signature->annotations, SIGSTORE_SIGNATURE_ANNOTATION, NULL);
	const char *promise = json_text(signature->annotations, SIGSTORE_REKOR_ANNOTATION, NULL);

	if (!text)
		return error_set(err, ERROR_DENIED, "an attachment lacks the annotation %s",
				 SIGSTORE_SIGNATURE_ANNOTATION);
	EVP_PKEY *signer =
		sigstore_find_signer(&keys->sigstore, signature->data, signature->length, text);
	if (!signer)
		return error_set(err, ERROR_DENIED, "a signature is by none of the keys");
	if (keys->rekor.count > 0 && !promise)
		return error_set(err, ERROR_DENIED, "a signature is not logged by Rekor");
	if (keys->rekor.count > 0 &&
	    sigstore_rekor_verify(&keys->rekor, promise, signer, text, signature->data,
				  signature->length, err) < 0)
		return -1;
	return check_payload(keys->requirement, image, signature->data, signature->length,
			     PAYLOAD_SIGSTORE, err);
}

static int check_bundle(const struct policy_keys *keys, const struct policy_case *image,
			const struct signature *signature, struct error *err)
{
	cleanup_free char *name = NULL;

	if (keys->rekor.count > 0)
		return error_set(err, ERROR_UNSUPPORTED, "Rekor's log is not checked for bundles");
	if (sigstore_bundle_verify(&keys->sigstore, signature->data, signature->length,
				   image->manifest->digest, &name, err) < 0)
		return -1;
	if (name)
		return check_name(keys->requirement, image, name, err);
	if (image->accept_unnamed)
		return 0;
	error_set(err, ERROR_DENIED, "a bundle is for the digest and names no image");
	return error_hint(err, "accept-bundles-without-identity: true in registries.d allows it");
}

/* 1: it is not of the kind that the requirement is about. */
static int check_signature(const struct policy_keys *keys, const struct policy_case *image,
			   const struct signature *signature, struct error *err)
{
	switch (signature->kind) {
	case SIGNATURE_SIMPLE:
		return keys->gpg ? check_simple(keys, image, signature, err) : 1;
	case SIGNATURE_ATTACHMENT:
		if (keys->gpg || strcmp(signature->media_type, SIGSTORE_PAYLOAD_TYPE) != 0)
			return 1;
		return check_attachment(keys, image, signature, err);
	case SIGNATURE_BUNDLE:
		return keys->gpg ? 1 : check_bundle(keys, image, signature, err);
	}
	return 1;
}

/* ---- requirements ---- */

static void add_reason(char **reasons, const struct error *reason)
{
	char *all = *reasons ? xasprintf("%s; %s", *reasons, reason->message)
			     : xstrdup(reason->message);

	free(*reasons);
	*reasons = all;
}

/* One good signature is enough. */
static int judge_signatures(struct policy_judge *judge, const json_t *requirement,
			    const struct policy_case *image, struct error *err)
{
	const struct policy_keys *keys = keys_of(judge, requirement, err);
	cleanup_free char *reasons = NULL;
	struct error reason = { 0 };

	if (!keys)
		return -1;
	for (size_t i = 0; i < image->signatures->count; i++) {
		int status = check_signature(keys, image, &image->signatures->items[i], &reason);

		if (status == 0)
			return 0;
		if (status < 0)
			add_reason(&reasons, &reason);
	}
	error_set(err, ERROR_DENIED, "%s",
		  reasons ? reasons : "a signature is required, and there is none");
	return reason.hint[0] ? error_hint(err, "%s", reason.hint) : -1;
}

static int judge_requirement(struct policy_judge *judge, const json_t *requirement,
			     const struct policy_case *image, struct error *err)
{
	const char *key_type = json_text(requirement, "keyType", "GPGKeys");

	if (has_type(requirement, "insecureAcceptAnything"))
		return 0;
	if (has_type(requirement, "reject"))
		return error_set(err, ERROR_DENIED, "no image of that name is accepted");
	if (has_type(requirement, "signedBaseLayer"))
		return error_set(err, ERROR_UNSUPPORTED, "signedBaseLayer cannot be checked");
	if (strcmp(key_type, "GPGKeys") != 0)
		return error_set(err, ERROR_UNSUPPORTED, "keys of the type %s cannot be checked",
				 key_type);
	if (json_object_get(requirement, "fulcio") || json_object_get(requirement, "pki"))
		return error_set(err, ERROR_UNSUPPORTED,
				 "signatures by certificate (fulcio, pki) cannot be checked");
	return judge_signatures(judge, requirement, image, err);
}

int policy_judge_case(struct policy_judge *judge, const json_t *requirements,
		      const struct policy_case *image, struct error *err)
{
	const json_t *requirement;
	size_t i;

	json_array_foreach (requirements, i, requirement) {
		if (judge_requirement(judge, requirement, image, err) < 0) {
			error_prefix(err, "%s is refused by the policy", image->name);
			return error_subject(err, image->name);
		}
	}
	return 0;
}
