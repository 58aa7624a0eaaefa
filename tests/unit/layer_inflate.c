/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression in pieces of every size, on the way in and on the way out. */
#include "ctr-store/worker/inflate.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { PLAIN_SIZE = 200000, STORED_MAX = 2 * PLAIN_SIZE };

static unsigned char plain[PLAIN_SIZE];

/* Append plain[from, to) as a gzip member; header may be NULL. */
static size_t add_member_with(gz_header *header, unsigned char *stored, size_t used, size_t from,
			      size_t to, int level)
{
	z_stream zlib = { 0 };

	deflateInit2(&zlib, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	if (header)
		deflateSetHeader(&zlib, header);
	zlib.next_in = plain + from;
	zlib.avail_in = (unsigned)(to - from);
	zlib.next_out = stored + used;
	zlib.avail_out = (unsigned)(STORED_MAX - used);
	deflate(&zlib, Z_FINISH);
	used += zlib.total_out;
	deflateEnd(&zlib);
	return used;
}

static size_t add_member(unsigned char *stored, size_t used, size_t from, size_t to, int level)
{
	return add_member_with(NULL, stored, used, from, to, level);
}

/* A descriptor that gives the bytes in packets of `chunk` bytes, one a read. */
static int serve(const unsigned char *stored, size_t size, size_t chunk, pid_t *pid)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		exit(1);
	*pid = fork();
	if (*pid > 0) {
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	for (size_t at = 0; at < size; at += chunk)
		if (send(ends[1], stored + at, size - at < chunk ? size - at : chunk,
			 MSG_NOSIGNAL) < 0)
			break;
	_exit(0);
}

/* Inflate, asking for `piece` bytes at a time; returns how many came, -1 on error. */
static ssize_t inflate_pieces(struct source *source, unsigned char *out, size_t piece,
			      struct error *err)
{
	struct inflater inflater = { 0 };
	ssize_t got, total = 0;

	if (inflater_start(&inflater, source, err) < 0)
		return -1;
	while ((got = inflater_read(&inflater, out + total, piece, err)) > 0)
		total += got;
	inflater_stop(&inflater);
	return got < 0 ? -1 : total;
}

static ssize_t inflate_served(const unsigned char *stored, size_t size, size_t chunk, size_t piece,
			      unsigned char *out, struct error *err)
{
	struct source source = { .buffer = malloc(SOURCE_CHUNK) };
	pid_t pid;

	source.fd = serve(stored, size, chunk, &pid);
	ssize_t total = inflate_pieces(&source, out, piece, err);
	close(source.fd);
	waitpid(pid, NULL, 0);
	free(source.buffer);
	return total;
}

static void check_chunks(const char *what, const unsigned char *stored, size_t size)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 511, 512, 65536 };
	unsigned char *out = malloc(PLAIN_SIZE + 65536);
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ssize_t in = inflate_served(stored, size, sizes[i], 4096, out, &err);
		ok(in == PLAIN_SIZE && memcmp(out, plain, PLAIN_SIZE) == 0,
		   "%s read %zu bytes at a time", what, sizes[i]);
		in = inflate_served(stored, size, 65536, sizes[i], out, &err);
		ok(in == PLAIN_SIZE && memcmp(out, plain, PLAIN_SIZE) == 0,
		   "%s inflated %zu bytes at a time", what, sizes[i]);
	}
	free(out);
}

int main(void)
{
	unsigned char *stored = malloc(STORED_MAX);
	unsigned char *out = malloc(PLAIN_SIZE + 65536);
	struct error err = { 0 };
	unsigned seed = 1;
	size_t size = 0;

	/* compressible, with incompressible stretches */
	for (size_t i = 0; i < PLAIN_SIZE; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = (unsigned char)(i / 10000 % 3 ? i / 100 : seed >> 16);
	}
	check_chunks("plain", plain, PLAIN_SIZE);
	size = add_member(stored, 0, 0, PLAIN_SIZE, 6);
	check_chunks("one member", stored, size);

	ssize_t truncated = inflate_served(stored, size - 1, 65536, 4096, out, &err);
	ok(truncated < 0 && err.kind == ERROR_INTEGRITY, "one byte missing");
	stored[size - 5] ^= 1;
	ok(inflate_served(stored, size, 65536, 4096, out, &err) < 0, "a wrong checksum");

	gz_header header = { .text = 1,
			     .extra = (Bytef *)"AB\1",
			     .extra_len = sizeof "AB\1",
			     .name = (Bytef *)"name",
			     .comment = (Bytef *)"comment",
			     .hcrc = 1 };
	size = add_member_with(&header, stored, 0, 0, 1000, 6);
	size = add_member_with(&header, stored, size, 1000, PLAIN_SIZE, 6);
	check_chunks("members with every field of a header", stored, size);

	/* members that end everywhere: stored blocks, empty ones, tiny ones, zeros at the end */
	size = add_member(stored, 0, 0, 0, 9);
	for (size_t at = 0; at < 100; at++)
		size = add_member(stored, size, at, at + 1, (int)(at % 10));
	size = add_member(stored, size, 100, 70000, 0);
	size = add_member(stored, size, 70000, 70000, 1);
	size = add_member(stored, size, 70000, PLAIN_SIZE, 9);
	memset(stored + size, 0, 1000);
	size += 1000;
	check_chunks("many members", stored, size);
	stored[size - 1] = 1;
	ok(inflate_served(stored, size, 65536, 4096, out, &err) < 0, "garbage behind the padding");
	ok(strstr(err.message, "gzip: ") == err.message, "the error names the compression");
	ok(inflate_served(stored, 0, 65536, 4096, out, &err) == 0, "nothing at all");
	free(stored);
	free(out);
	return tap_done();
}
