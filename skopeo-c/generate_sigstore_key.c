/* SPDX-License-Identifier: Apache-2.0 */
/* generate-sigstore-key: a pair of keys for signing images. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/secret.h"
#include "skopeo-c/sigstore.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct key_settings {
	const char *output_prefix, *passphrase_file;
};

#define FIELD(name) offsetof(struct key_settings, name)

static const struct cli_option options[] = {
	{ "output-prefix", 0, "PREFIX", OPTION_STRING, FIELD(output_prefix),
	  "write PREFIX.private and PREFIX.pub" },
	{ "passphrase-file", 0, "FILE", OPTION_STRING, FIELD(passphrase_file),
	  "file with the passphrase of the private key in its first line" },
	{ 0 },
};

/* A passphrase that is typed is typed twice: nobody can read it again. */
static char *ask(struct error *err)
{
	char *first = secret_ask("Passphrase for the key", true, err);
	char *second = first ? secret_ask("Passphrase again", true, err) : NULL;
	bool same = second && strcmp(first, second) == 0;

	secret_wipe(second);
	if (same)
		return first;
	if (second)
		error_set(err, ERROR_USAGE, "the two passphrases differ");
	if (!first)
		error_hint(err, "use --passphrase-file");
	secret_wipe(first);
	return NULL;
}

/* A key that is there is never overwritten. The public one comes first: without the other, should
 * we be killed in between, it has signed nothing yet. */
static int write_pair(const char *private_path, const char *private_pem, const char *public_path,
		      const char *public_pem, struct error *err)
{
	if (file_create_at(AT_FDCWD, public_path, public_pem, strlen(public_pem), 0644, err) < 0) {
		if (err->kind == ERROR_EXISTS && access(private_path, F_OK) < 0)
			error_hint(err, "there is no %s: if a killed run has left it so, remove it",
				   private_path);
		return -1;
	}
	if (file_create_at(AT_FDCWD, private_path, private_pem, strlen(private_pem), 0600, err) ==
	    0)
		return 0;
	unlink(public_path);
	return -1;
}

static int generate_run(const struct cli *cli, struct error *err)
{
	const struct key_settings *settings = cli->settings;
	const char *prefix = settings->output_prefix;
	cleanup_free char *private_pem = NULL, *public_pem = NULL;

	if (!prefix || !prefix[0])
		return cli_usage(cli, err, "say where the keys shall be: --output-prefix");
	char *passphrase = settings->passphrase_file
				   ? secret_read_file(settings->passphrase_file, err)
				   : ask(err);
	if (!passphrase)
		return -1;
	int status = sigstore_make_key(passphrase, &private_pem, &public_pem, err);
	secret_wipe(passphrase);
	if (status < 0)
		return -1;
	cleanup_free char *private_path = xasprintf("%s.private", prefix);
	cleanup_free char *public_path = xasprintf("%s.pub", prefix);
	if (write_pair(private_path, private_pem, public_path, public_pem, err) < 0)
		return -1;
	if (cli->output == OUTPUT_JSON) {
		json_auto_t *result =
			json_pack("{s:s, s:s}", "private", private_path, "public", public_path);

		return output_object(cli, result, err);
	}
	if (printf("Key written to \"%s\" and \"%s\"\n", private_path, public_path) < 0)
		return error_os(err, "standard output");
	return 0;
}

const struct cli_command generate_sigstore_key_command = {
	.name = "generate-sigstore-key",
	.operands = "",
	.operands_max = 0,
	.summary = "generate a key pair for sigstore signatures",
	.options = options,
	.settings_size = sizeof(struct key_settings),
	.run = generate_run,
};
