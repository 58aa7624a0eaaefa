/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of skopeo-c, each in the file of its name. */
#pragma once
#include "lib/cli.h"
#include "lib/digest.h"

extern const struct cli_command copy_command, delete_command, diff_command, inspect_command,
	list_repos_command, list_tags_command, login_command, logout_command,
	manifest_digest_command, generate_sigstore_key_command, standalone_sign_command,
	standalone_verify_command, sync_command, prune_command, verify_command;

/* The operand of login and logout, HOST[:PORT][/PATH], as the key of a file; is_docker: of
 * Docker's, which knows no paths. The caller frees it. */
char *login_key(const struct cli *cli, bool is_docker, struct error *err);

/* The digest of a manifest in a file, or on standard input: "-". */
int manifest_digest_of_file(const char *path, char digest[static DIGEST_SIZE], struct error *err);
