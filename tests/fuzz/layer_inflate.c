/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed bytes of a layer: the same comes out whatever pieces are asked for. */
#include "ctr-store/worker/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN_MAX = 4 << 20, PIECE = 10000 };

struct plain {
	ssize_t length;
	uint32_t sum;
	bool failed;
};

static int memory_fd(const uint8_t *data, size_t size)
{
	int fd = memfd_create("layer", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

static struct plain inflate_all(int fd, size_t piece)
{
	struct source source = { .fd = fd, .buffer = malloc(SOURCE_CHUNK) };
	struct inflater inflater = { 0 };
	struct plain plain = { 0 };
	struct error err = { 0 };
	unsigned char *out = malloc(piece);
	ssize_t got = -1;

	if (lseek(fd, 0, SEEK_SET) == 0 && inflater_start(&inflater, &source, &err) == 0)
		while (plain.length < PLAIN_MAX &&
		       (got = inflater_read(&inflater, out, piece, &err)) > 0) {
			for (ssize_t i = 0; i < got; i++)
				plain.sum = (plain.sum ^ out[i]) * 16777619U;
			plain.length += got;
		}
	plain.failed = got < 0;
	if (plain.failed && !err.kind)
		abort();
	inflater_stop(&inflater);
	free(out);
	free(source.buffer);
	return plain;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memory_fd(data, size);
	struct plain large = inflate_all(fd, PIECE);
	struct plain small = inflate_all(fd, size ? 1 + data[size - 1] * 4U : 1);

	close(fd);
	if (large.length >= PLAIN_MAX || small.length >= PLAIN_MAX)
		return 0;
	if (large.failed != small.failed ||
	    (!large.failed && (large.length != small.length || large.sum != small.sum)))
		abort();
	return 0;
}
