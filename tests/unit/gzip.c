/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/gzip.h"

#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

enum { SIZE = 5 << 20 };

struct buffer {
	unsigned char *data;
	size_t length;
};

static int collect(void *context, const void *data, size_t length, struct error *err)
{
	struct buffer *buffer = context;

	(void)err;
	buffer->data = xreallocarray(buffer->data, buffer->length + length + 1, 1);
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	return 0;
}

/* Compress in pieces of `step` bytes. */
static struct buffer compress(const unsigned char *data, size_t length, size_t step)
{
	struct buffer result = { 0 };
	struct error err;
	struct gzip_writer *writer = gzip_writer_new(collect, &result, 0);

	for (size_t at = 0; at < length; at += step)
		gzip_write(writer, data + at, length - at < step ? length - at : step, &err);
	gzip_finish(writer, &err);
	gzip_writer_free(writer);
	return result;
}

/* Decompress in pieces; -1 when it is broken. */
static int decompress(const struct buffer *in, size_t step, struct buffer *out)
{
	struct error err;
	struct gzip_reader *reader = gzip_reader_new(collect, out);
	int status = 0;

	for (size_t at = 0; at < in->length && status == 0; at += step)
		status = gzip_read(reader, in->data + at,
				   in->length - at < step ? in->length - at : step, &err);
	if (status == 0)
		status = gzip_read_end(reader, &err);
	gzip_reader_free(reader);
	return status;
}

static void test_broken(const struct buffer *good)
{
	struct buffer out = { 0 }, cut = { good->data, good->length - 1 };

	ok(decompress(&cut, 1000, &out) < 0, "gzip: a stream that is cut is an error");
	good->data[good->length - 6] ^= 1;
	out.length = 0;
	ok(decompress(good, 1000, &out) < 0, "gzip: a wrong checksum is an error");
	good->data[good->length - 6] ^= 1;
	good->data[good->length / 2] ^= 0x55;
	out.length = 0;
	ok(decompress(good, 1 << 20, &out) < 0, "gzip: damaged data is an error");
	free(out.data);
}

int main(void)
{
	unsigned char *data = xcalloc(SIZE, 1);
	struct buffer out = { 0 }, twice = { 0 };
	struct error err;

	for (size_t i = 0; i < SIZE; i++)
		data[i] = (unsigned char)((i / 7) ^ (i >> 12));

	struct buffer one = compress(data, SIZE, SIZE), many = compress(data, SIZE, 777);
	ok(one.length == many.length && memcmp(one.data, many.data, one.length) == 0,
	   "gzip: the bytes do not depend on how the data arrives");
	ok(gzip_is_gzip(one.data, one.length) && !gzip_is_gzip(data, SIZE), "gzip: magic");
	ok(one.length < SIZE / 2, "gzip: it compresses");
	ok(memcmp(one.data + 4, "\0\0\0\0", 4) == 0, "gzip: no time stamp");
	ok(decompress(&one, 100, &out) == 0 && out.length == SIZE &&
		   memcmp(out.data, data, SIZE) == 0,
	   "gzip: what was compressed comes back");

	collect(&twice, one.data, one.length, &err);
	collect(&twice, one.data, one.length, &err);
	out.length = 0;
	ok(decompress(&twice, 4096, &out) == 0 && out.length == 2 * SIZE,
	   "gzip: two members are read on");

	struct buffer empty = compress(data, 0, 1);
	out.length = 0;
	ok(decompress(&empty, 1, &out) == 0 && out.length == 0, "gzip: nothing at all");

	test_broken(&one);
	free(data);
	free(out.data);
	free(one.data);
	free(many.data);
	free(twice.data);
	free(empty.data);
	return tap_done();
}
