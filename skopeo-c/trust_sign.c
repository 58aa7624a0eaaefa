/* SPDX-License-Identifier: Apache-2.0 */
/* Making signatures and giving them to the destination of a copy. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "lib/yaml.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/gpg.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/secret.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/sigstore.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/trust.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS_MAX = 64 << 10 };

/* ---- keys ---- */

static EVP_PKEY *open_key(const char *path, const char *passphrase_file, struct error *err)
{
	char *passphrase = passphrase_file ? secret_read_file(passphrase_file, err)
					   : secret_ask("Passphrase", true, err);

	if (!passphrase) {
		if (!passphrase_file)
			error_hint(err, "use --sign-passphrase-file");
		return NULL;
	}
	EVP_PKEY *key = sigstore_read_private_key(path, passphrase, err);
	secret_wipe(passphrase);
	return key;
}

/* containers-sigstore-signing-params.yaml(5), as far as it is about keys. */
static EVP_PKEY *open_parameters(const char *path, struct error *err)
{
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, PARAMETERS_MAX, &length, err);
	json_auto_t *parameters = text ? yaml_parse(text, length, path, err) : NULL;
	const char *key_file = json_text(parameters, "privateKeyFile", NULL);
	const char *passphrase_file = json_text(parameters, "privateKeyPassphraseFile", NULL);
	const char *name;
	json_t *value;

	if (!parameters) {
		error_missing_is(err, ERROR_USAGE);
		return NULL;
	}
	json_object_foreach (parameters, name, value) {
		if (strcmp(name, "fulcio") == 0 || strcmp(name, "rekorURL") == 0) {
			error_set(err, ERROR_UNSUPPORTED, "%s: %s is not supported: a key signs",
				  path, name);
			return NULL;
		}
		if ((strcmp(name, "privateKeyFile") != 0 &&
		     strcmp(name, "privateKeyPassphraseFile") != 0) ||
		    !json_is_string(value)) {
			error_set(err, ERROR_INTEGRITY, "%s: %s is unknown or not a text", path,
				  name);
			return NULL;
		}
	}
	if (!key_file) {
		error_set(err, ERROR_USAGE, "%s names no privateKeyFile", path);
		return NULL;
	}
	return open_key(key_file, passphrase_file, err);
}

static int open_keys(struct trust *trust, struct error *err)
{
	const struct trust_options *options = trust->options;

	if (options->sign_by) {
		if (!(trust->gpg = gpg_open_own(err)))
			return -1;
		if (options->passphrase_file &&
		    !(trust->passphrase = secret_read_file(options->passphrase_file, err)))
			return -1;
	}
	if (options->sign_by_sigstore_key &&
	    !(trust->key = open_key(options->sign_by_sigstore_key, options->passphrase_file, err)))
		return -1;
	if (options->sign_by_sigstore &&
	    !(trust->key = open_parameters(options->sign_by_sigstore, err)))
		return -1;
	return 0;
}

/* ---- opening ---- */

static int check_options(const struct trust_options *options, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	bool signs = options->sign_by || options->sign_by_sigstore || options->sign_by_sigstore_key;

	if (options->sign_by_sigstore && options->sign_by_sigstore_key)
		return error_set(err, ERROR_USAGE,
				 "one sigstore key at a time: --sign-by-sigstore "
				 "or --sign-by-sigstore-private-key");
	if (options->policy && options->insecure_policy)
		return error_set(err, ERROR_USAGE,
				 "--policy and --insecure-policy exclude each other");
	if (options->require_signed && options->insecure_policy)
		return error_set(err, ERROR_USAGE,
				 "--require-signed and --insecure-policy exclude each other");
	if (options->sign_by_sq) {
		error_set(err, ERROR_UNSUPPORTED, "--sign-by-sq-fingerprint is not supported");
		return error_hint(err, "--sign-by signs with GPG, which can hold the same key");
	}
	if (!signs && (options->passphrase_file || options->identity))
		return error_set(err, ERROR_USAGE, "%s is for signing: say with which key",
				 options->identity ? "--sign-identity" : "--sign-passphrase-file");
	if (!options->identity)
		return 0;
	if (reference_parse(options->identity, &reference, err) < 0)
		return error_prefix(err, "--sign-identity");
	if (!reference.tag && !reference.digest)
		return error_set(err, ERROR_USAGE, "--sign-identity needs a tag or a digest");
	return 0;
}

int trust_open(const struct trust_options *options, struct trust *ret, struct error *err)
{
	cleanup_trust struct trust trust = { .options = options };

	if (check_options(options, err) < 0)
		return -1;
	trust.policy = policy_load(options->policy, options->insecure_policy, err);
	if (!trust.policy || open_keys(&trust, err) < 0)
		return -1;
	*ret = trust;
	trust = (struct trust){ 0 };
	return 0;
}

void trust_close(struct trust *trust)
{
	policy_judge_free(&trust->judge);
	json_decref(trust->policy);
	gpg_close(trust->gpg);
	EVP_PKEY_free(trust->key);
	secret_wipe(trust->passphrase);
	*trust = (struct trust){ 0 };
}

/* ---- signing ---- */

static bool signs(const struct trust *trust)
{
	return trust->gpg || trust->key;
}

int trust_check_destination(const struct trust *trust, const char *name,
			    const struct trust_image *image, struct error *err)
{
	const struct transport_class *class = transport_class_of(name);

	/* what is wrong with the name itself shows when it is opened */
	if (!class || (!signs(trust) && (!image->any || class->drops_signatures)))
		return 0;
	if (!class->put_signatures) {
		error_set(err, ERROR_UNSUPPORTED, "%s cannot keep signatures", name);
		return signs(trust) ? -1
				    : error_hint(err, "--remove-signatures leaves them behind");
	}
	if (!signs(trust) || trust->options->identity || class->identity == IDENTITY_REFERENCE)
		return 0;
	error_set(err, ERROR_USAGE, "%s has no name to sign for", name);
	return error_hint(err, "give one with --sign-identity");
}

/* The name to sign for, in full; the caller frees it. */
static char *identity_for(const struct trust *trust, const struct transport *to, struct error *err)
{
	const char *name = trust->options->identity ? trust->options->identity : to->reference;
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(name, &reference, err) < 0)
		return NULL;
	if (reference.tag || reference.digest)
		return reference_text(&reference);
	error_set(err, ERROR_USAGE, "%s has no tag to sign for", name);
	error_hint(err, "give one with --sign-identity");
	return NULL;
}

/* What shall be signed of a manifest. */
struct statement {
	const char *digest;
	char *identity;
};

static bool says(const char *text, size_t length, const char *type,
		 const struct statement *statement)
{
	cleanup_signature_payload struct signature_payload payload = { 0 };
	struct error ignored;

	return signature_payload_parse(text, length, type, &payload, &ignored) == 0 &&
	       strcmp(payload.digest, statement->digest) == 0 &&
	       strcmp(payload.reference, statement->identity) == 0;
}

/* Whether the GPG key that we sign with has signed just that. */
static bool is_simple(const struct trust *trust, const struct signature *signature,
		      const struct statement *statement)
{
	cleanup_free char *content = NULL;
	struct gpg_signer signer;
	struct error ignored;
	size_t length;

	return signature->kind == SIGNATURE_SIMPLE &&
	       gpg_verify(trust->gpg, signature->data, signature->length, &content, &length,
			  &signer, &ignored) == 0 &&
	       gpg_is_key(trust->gpg, trust->options->sign_by, &signer) &&
	       says(content, length, PAYLOAD_SIMPLE, statement);
}

/* Likewise for the key of sigstore's. */
static bool is_sigstore(const struct trust *trust, const struct signature *signature,
			const struct statement *statement)
{
	EVP_PKEY *key = trust->key;
	const struct sigstore_keys keys = { .items = &key, .count = 1 };
	const char *proof = json_text(signature->annotations, SIGSTORE_SIGNATURE_ANNOTATION, "");

	return signature->kind == SIGNATURE_ATTACHMENT &&
	       sigstore_find_signer(&keys, signature->data, signature->length, proof) &&
	       says(signature->data, signature->length, PAYLOAD_SIGSTORE, statement);
}

static int add_simple(const struct trust *trust, const struct statement *statement,
		      struct signatures *signatures, struct error *err)
{
	cleanup_free char *text =
		signature_payload_make(PAYLOAD_SIMPLE, statement->digest, statement->identity);
	cleanup_signature struct signature signature = { .kind = SIGNATURE_SIMPLE };

	if (gpg_sign(trust->gpg, trust->options->sign_by, trust->passphrase, text, &signature.data,
		     &signature.length, err) < 0 ||
	    signatures_add(signatures, &signature, err) < 0)
		return -1;
	return 0;
}

static int add_sigstore(const struct trust *trust, const struct statement *statement,
			struct signatures *signatures, struct error *err)
{
	char *text =
		signature_payload_make(PAYLOAD_SIGSTORE, statement->digest, statement->identity);
	cleanup_signature struct signature signature = {
		.kind = SIGNATURE_ATTACHMENT,
		.data = text,
		.length = strlen(text),
		.media_type = xstrdup(SIGSTORE_PAYLOAD_TYPE),
	};
	cleanup_free char *proof = sigstore_sign(trust->key, text, strlen(text), err);

	if (!proof)
		return -1;
	signature.annotations = json_pack("{s:s}", SIGSTORE_SIGNATURE_ANNOTATION, proof);
	return signatures_add(signatures, &signature, err);
}

typedef bool is_function(const struct trust *trust, const struct signature *signature,
			 const struct statement *statement);

static bool any_is(const struct trust *trust, const struct signatures *list, is_function *is,
		   const struct statement *statement)
{
	for (size_t i = 0; i < list->count; i++)
		if (is(trust, &list->items[i], statement))
			return true;
	return false;
}

int trust_read_destination(struct transport *to, const struct manifest *manifest,
			   struct signatures *signatures, struct error *err)
{
	if (to->class->get_signatures(to, manifest, false, signatures, err) < 0)
		return -1;
	return transport_is_docker(to)
		       ? signature_registry_get_staged(to, manifest->digest, signatures, err)
		       : 0;
}

/* Sign a manifest with each key that has not signed it for that name: signing the same again says
 * nothing new. */
static int sign(const struct trust *trust, struct transport *to, const struct manifest *manifest,
		struct signatures *signatures, struct error *err)
{
	cleanup_signatures struct signatures present = { 0 };
	cleanup_free char *identity = identity_for(trust, to, err);
	const struct statement statement = { manifest->digest, identity };

	if (!identity ||
	    (transport_is_docker(to) && trust_read_destination(to, manifest, &present, err) < 0))
		return -1;
	if (trust->gpg && !any_is(trust, &present, is_simple, &statement) &&
	    add_simple(trust, &statement, signatures, err) < 0)
		return -1;
	if (trust->key && !any_is(trust, &present, is_sigstore, &statement))
		return add_sigstore(trust, &statement, signatures, err);
	return 0;
}

int trust_check_put(const struct trust *trust, const struct transport *to, const char *digest,
		    const struct trust_image *image, struct error *err)
{
	cleanup_signatures struct signatures signatures = { 0 };

	if (trust_image_copy(image, digest, &signatures, err) < 0)
		return -1;
	if (signs(trust)) {
		cleanup_free char *identity = identity_for(trust, to, err);

		if (!identity)
			return -1;
	}
	const struct signature_kinds kinds = {
		.simple = trust->gpg || signatures_have_kind(&signatures, SIGNATURE_SIMPLE),
		.attachments =
			trust->key || signatures_have_kind(&signatures, SIGNATURE_ATTACHMENT),
	};
	return transport_is_docker(to) ? signature_registry_check(to, digest, kinds, err) : 0;
}

int trust_put(const struct trust *trust, struct transport *to, const struct manifest *manifest,
	      bool is_top, const struct trust_image *image, struct error *err)
{
	cleanup_signatures struct signatures signatures = { 0 };

	if (!to->class->put_signatures)
		return 0;
	if (trust_image_copy(image, manifest->digest, &signatures, err) < 0 ||
	    (signs(trust) && sign(trust, to, manifest, &signatures, err) < 0))
		return -1;
	return signatures.count == 0
		       ? 0
		       : to->class->put_signatures(to, manifest, is_top, &signatures, err);
}
