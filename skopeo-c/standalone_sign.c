/* SPDX-License-Identifier: Apache-2.0 */
/* standalone-sign: a GPG signature for a manifest in a file. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/gpg.h"
#include "skopeo-c/secret.h"
#include "skopeo-c/signature.h"

#include <fcntl.h>

struct sign_settings {
	const char *output, *passphrase_file;
};

#define FIELD(name) offsetof(struct sign_settings, name)

static const struct cli_option options[] = {
	{ "output", 'o', "FILE", OPTION_STRING, FIELD(output), "write the signature to FILE" },
	{ "passphrase-file", 0, "FILE", OPTION_STRING, FIELD(passphrase_file),
	  "file with the key's passphrase in its first line" },
	{ 0 },
};

static int write_output(const char *path, const char *bytes, size_t length, struct error *err)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 ? error_os(err, "%s", path) : file_write_fd(fd, bytes, length, path, err);
}

static int sign_run(const struct cli *cli, struct error *err)
{
	const struct sign_settings *settings = cli->settings;
	cleanup_reference struct reference reference = { 0 };
	cleanup_free char *message = NULL;
	char *passphrase = NULL;
	char digest[DIGEST_SIZE];
	size_t length;

	if (!settings->output)
		return cli_usage(cli, err, "say where the signature shall be: --output");
	if (manifest_digest_of_file(cli->operands[0], digest, err) < 0 ||
	    reference_parse(cli->operands[1], &reference, err) < 0)
		return -1;
	cleanup_gpg struct gpg *gpg = gpg_open_own(err);
	if (!gpg || (settings->passphrase_file &&
		     !(passphrase = secret_read_file(settings->passphrase_file, err))))
		return -1;
	cleanup_free char *name = reference_text(&reference);
	cleanup_free char *text = signature_payload_make(PAYLOAD_SIMPLE, digest, name);
	int status = gpg_sign(gpg, cli->operands[2], passphrase, text, &message, &length, err);
	secret_wipe(passphrase);
	return status < 0 ? -1 : write_output(settings->output, message, length, err);
}

const struct cli_command standalone_sign_command = {
	.name = "standalone-sign",
	.operands = "MANIFEST NAME KEY",
	.operands_min = 3,
	.operands_max = 3,
	.summary = "sign a manifest file with GPG",
	.details = "MANIFEST can be \"-\", standard input. NAME is the image name to sign for; KEY "
		   "is\n"
		   "a fingerprint, key id or user id.",
	.options = options,
	.settings_size = sizeof(struct sign_settings),
	.run = sign_run,
};
