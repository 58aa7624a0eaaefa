/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-digest: the digest of a manifest in a file. */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/json.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/schema1.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int manifest_digest_of_file(const char *path, char digest[static DIGEST_SIZE], struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	cleanup_fd int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	size_t length;

	if (!is_stdin && opened < 0)
		return error_os(err, "%s", path);
	cleanup_free char *bytes =
		file_read_fd(is_stdin ? STDIN_FILENO : opened, MANIFEST_MAX, &length, path, err);
	json_auto_t *json = bytes ? json_parse(bytes, length, path, err) : NULL;
	if (!json)
		return -1;
	size_t payload_length = 0;
	cleanup_free char *payload = schema1_payload(bytes, length, json, &payload_length);
	if (schema1_is_signed(json) && !payload)
		return error_set(err, ERROR_INTEGRITY, "%s: its signatures are malformed", path);
	digest_of(payload ? payload : bytes, payload ? payload_length : length, "sha256", digest);
	return 0;
}

static int manifest_digest_run(const struct cli *cli, struct error *err)
{
	char digest[DIGEST_SIZE];

	if (manifest_digest_of_file(cli->operands[0], digest, err) < 0)
		return -1;
	if (printf("%s\n", digest) < 0)
		return error_os(err, "standard output");
	return 0;
}

const struct cli_command manifest_digest_command = {
	.name = "manifest-digest",
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "print the digest of a manifest or index in a file",
	.details = "FILE can be \"-\", standard input.",
	.run = manifest_digest_run,
};
