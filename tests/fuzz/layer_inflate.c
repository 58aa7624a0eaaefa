/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed bytes of a layer. */
#include "ctr-store/worker/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN_MAX = 4 << 20, PIECE = 10000 };

static int memory_fd(const uint8_t *data, size_t size)
{
	int fd = memfd_create("layer", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { .fd = memory_fd(data, size), .buffer = malloc(SOURCE_CHUNK) };
	struct inflater inflater = { 0 };
	struct error err = { 0 };
	unsigned char *out = malloc(PIECE);
	ssize_t got = -1;

	if (inflater_start(&inflater, &source, &err) == 0)
		for (ssize_t total = 0; total < PLAIN_MAX; total += got)
			if ((got = inflater_read(&inflater, out, PIECE, &err)) <= 0)
				break;
	if (got < 0 && !err.kind)
		abort();
	inflater_stop(&inflater);
	free(out);
	free(source.buffer);
	close(source.fd);
	return 0;
}
