/* SPDX-License-Identifier: Apache-2.0 */
/* Making signatures and giving them to the destination of a copy. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "lib/yaml.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/gpg.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/secret.h"
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
	credentials_wipe(passphrase);
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

	if (!parameters)
		return NULL;
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
	credentials_wipe(trust->passphrase);
	*trust = (struct trust){ 0 };
}

/* ---- signing ---- */

/* The name to sign for, in full; the caller frees it. */
static char *identity_for(const struct trust *trust, const struct transport *to, struct error *err)
{
	const char *name = trust->options->identity;
	cleanup_reference struct reference reference = { 0 };

	if (!name && to->class->identity == IDENTITY_REFERENCE)
		name = to->reference;
	if (!name) {
		error_set(err, ERROR_USAGE, "%s has no name to sign for", to->name);
		error_hint(err, "give one with --sign-identity");
		return NULL;
	}
	return reference_parse(name, &reference, err) < 0 ? NULL : reference_text(&reference);
}

static int add_simple(const struct trust *trust, const char *digest, const char *identity,
		      struct signatures *signatures, struct error *err)
{
	cleanup_free char *text = signature_payload_make(PAYLOAD_SIMPLE, digest, identity);
	cleanup_signature struct signature signature = { .kind = SIGNATURE_SIMPLE };

	if (gpg_sign(trust->gpg, trust->options->sign_by, trust->passphrase, text, &signature.data,
		     &signature.length, err) < 0 ||
	    signatures_add(signatures, &signature, err) < 0)
		return -1;
	signature = (struct signature){ 0 };
	return 0;
}

static int add_sigstore(const struct trust *trust, const char *digest, const char *identity,
			struct signatures *signatures, struct error *err)
{
	char *text = signature_payload_make(PAYLOAD_SIGSTORE, digest, identity);
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
	if (signatures_add(signatures, &signature, err) < 0)
		return -1;
	signature = (struct signature){ 0 };
	return 0;
}

/* The signatures that a manifest shall have at the destination. */
static int collect(const struct trust *trust, const struct transport *to,
		   const struct manifest *manifest, const struct trust_image *image,
		   struct signatures *signatures, struct error *err)
{
	if (trust_image_copy(image, manifest->digest, signatures, err) < 0)
		return -1;
	if (!trust->gpg && !trust->key)
		return 0;
	cleanup_free char *identity = identity_for(trust, to, err);
	if (!identity)
		return -1;
	if (trust->gpg && add_simple(trust, manifest->digest, identity, signatures, err) < 0)
		return -1;
	return trust->key ? add_sigstore(trust, manifest->digest, identity, signatures, err) : 0;
}

int trust_check_destination(const struct trust *trust, const struct transport *to,
			    const struct trust_image *image, struct error *err)
{
	bool signs = trust->gpg || trust->key;

	if (signs) {
		cleanup_free char *identity = identity_for(trust, to, err);

		if (!identity)
			return -1;
	}
	if (to->class->put_signatures || (!signs && (!image->any || to->class->drops_signatures)))
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "%s cannot keep signatures", to->name);
	return signs ? -1 : error_hint(err, "--remove-signatures leaves them behind");
}

int trust_put(const struct trust *trust, struct transport *to, const struct manifest *manifest,
	      bool is_top, const struct trust_image *image, struct error *err)
{
	cleanup_signatures struct signatures signatures = { 0 };

	if (!to->class->put_signatures)
		return 0;
	if (collect(trust, to, manifest, image, &signatures, err) < 0)
		return -1;
	return signatures.count == 0
		       ? 0
		       : to->class->put_signatures(to, manifest, is_top, &signatures, err);
}
