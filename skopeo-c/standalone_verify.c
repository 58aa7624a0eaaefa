/* SPDX-License-Identifier: Apache-2.0 */
/* standalone-verify: a GPG signature in a file against a manifest in a file. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/gpg.h"
#include "skopeo-c/signature.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { KEYS_FILE_MAX = 4 << 20 };

struct verify_settings {
	const char *public_key_file;
};

#define FIELD(name) offsetof(struct verify_settings, name)

static const struct cli_option options[] = {
	{ "public-key-file", 0, "FILE", OPTION_STRING, FIELD(public_key_file),
	  "use the keys in FILE, not the user's keyring" },
	{ 0 },
};

/* True when one of the fingerprints, which commas separate, is that of the signer's key. */
static bool is_listed(const char *list, const struct gpg_signer *signer)
{
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length > 0 && ((strlen(signer->key) == length &&
				    strncasecmp(list, signer->key, length) == 0) ||
				   (strlen(signer->primary) == length &&
				    strncasecmp(list, signer->primary, length) == 0)))
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

static struct gpg *open_keys(const struct verify_settings *settings, struct error *err)
{
	const char *path = settings->public_key_file;
	size_t length;

	if (!path)
		return gpg_open_own(err);
	cleanup_free char *keys = file_read_at(AT_FDCWD, path, KEYS_FILE_MAX, &length, err);
	cleanup_gpg struct gpg *gpg = keys ? gpg_open_empty(err) : NULL;
	if (!gpg || gpg_add_keys(gpg, keys, length, path, err) < 0)
		return NULL;
	return steal_ptr(&gpg);
}

static int check_payload(const char *text, size_t length, const char *digest, const char *name,
			 struct error *err)
{
	cleanup_signature_payload struct signature_payload payload = { 0 };
	cleanup_reference struct reference expected = { 0 }, signed_for = { 0 };

	if (reference_parse(name, &expected, err) < 0 ||
	    signature_payload_parse(text, length, PAYLOAD_SIMPLE, &payload, err) < 0)
		return -1;
	if (strcmp(payload.digest, digest) != 0)
		return error_set(err, ERROR_INTEGRITY, "the signature is for another manifest, %s",
				 payload.digest);
	if (reference_parse(payload.reference, &signed_for, err) < 0)
		return error_prefix(err, "the signature");
	cleanup_free char *expected_text = reference_text(&expected);
	cleanup_free char *signed_text = reference_text(&signed_for);
	if (strcmp(expected_text, signed_text) != 0)
		return error_set(err, ERROR_INTEGRITY, "the signature is for the name %s, not %s",
				 signed_text, expected_text);
	return 0;
}

static int tell(const struct cli *cli, const char *fingerprint, const char *digest,
		struct error *err)
{
	if (cli->output == OUTPUT_JSON) {
		json_auto_t *result =
			json_pack("{s:s, s:s}", "fingerprint", fingerprint, "digest", digest);

		return output_object(cli, result, err);
	}
	if (printf("Signature verified using fingerprint %s, digest %s\n", fingerprint, digest) < 0)
		return error_os(err, "standard output");
	return 0;
}

static int verify_run(const struct cli *cli, struct error *err)
{
	const struct verify_settings *settings = cli->settings;
	const char *list = cli->operands[2], *path = cli->operands[3];
	bool any = strcmp(list, "any") == 0;
	cleanup_free char *content = NULL;
	char digest[DIGEST_SIZE];
	struct gpg_signer signer;
	size_t length;

	if (any && !settings->public_key_file)
		return cli_usage(cli, err, "\"any\" key will do only of a --public-key-file");
	if (manifest_digest_of_file(cli->operands[0], digest, err) < 0)
		return -1;
	cleanup_free char *message = file_read_at(AT_FDCWD, path, SIGNATURE_MAX, &length, err);
	cleanup_gpg struct gpg *gpg = message ? open_keys(settings, err) : NULL;
	if (!gpg || gpg_verify(gpg, message, length, &content, &length, &signer, err) < 0)
		return -1;
	if (!any && !is_listed(list, &signer))
		return error_set(err, ERROR_INTEGRITY, "the signature is by %s", signer.primary);
	if (check_payload(content, length, digest, cli->operands[1], err) < 0)
		return -1;
	return tell(cli, signer.primary, digest, err);
}

const struct cli_command standalone_verify_command = {
	.name = "standalone-verify",
	.operands = "MANIFEST NAME KEYS SIGNATURE",
	.operands_min = 4,
	.operands_max = 4,
	.summary = "verify a GPG signature of a manifest file",
	.details =
		"MANIFEST can be \"-\", standard input. KEYS are the fingerprints of the accepted\n"
		"keys, separated by commas; or \"any\", with --public-key-file.",
	.options = options,
	.settings_size = sizeof(struct verify_settings),
	.run = verify_run,
};
