/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target without a fuzzer: on each of its seeds, once. They are found by the name of the
 * program, below the directory where the source is. Who is on the way when it dies is said before.
 */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEED_MAX = 16 << 20, SECONDS_MAX = 120 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(int dir_fd, const char *name)
{
	struct error err;
	size_t size;
	cleanup_free char *text = file_read_at(dir_fd, name, SEED_MAX, &size, &err);

	if (!text) {
		printf("# %s\n", err.message);
		return -1;
	}
	/* no byte more than there are, so that a sanitizer sees who reads on */
	cleanup_free uint8_t *data = xcalloc(size ? size : 1, 1);
	memcpy(data, text, size);
	printf("# seed %s\n", name);
	fflush(stdout);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	cleanup_free char *path = xasprintf("tests/fuzz/corpus/%s", name);
	DIR *directory = argc == 1 ? opendir(path) : NULL;
	const struct dirent *entry;
	int seeds = 0, status = 0;

	alarm(SECONDS_MAX);
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			seeds++;
			status |= replay(dirfd(directory), entry->d_name);
		}
	if (directory)
		closedir(directory);
	printf("%sok 1 - fuzz: %s, seeds: %d\n1..1\n", seeds && !status ? "" : "not ", name, seeds);
	return !seeds || status;
}
