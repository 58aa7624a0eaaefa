/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/commands.h"
#include "skopeo-c/globals.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What libraries would tidy up goes with the process, and sooner; only a sanitizer has something to
 * say at the end. */
static _Noreturn void leave(int status)
{
	fflush(stdout); /* closed already, unless there was an error to tell of */
#ifdef __SANITIZE_ADDRESS__
	exit(status);
#else
	_exit(status);
#endif
}

/* What is freed of the buffers of threads goes back to the system, whatever was freed before. */
static void return_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	const struct cli_command commands[] = {
		copy_command,
		delete_command,
		diff_command,
		generate_sigstore_key_command,
		inspect_command,
		list_repos_command,
		list_tags_command,
		login_command,
		logout_command,
		manifest_digest_command,
		prune_command,
		standalone_sign_command,
		standalone_verify_command,
		sync_command,
		verify_command,
		{ 0 },
	};
	/* clang-format on */

	return_memory();
	struct cli_command *all = globals_add(commands);
	int status = cli_main("skopeo-c",
			      "looks at and copies images in registries, layouts and the store",
			      all, argc, argv);

	globals_free(all);
	leave(status);
}
