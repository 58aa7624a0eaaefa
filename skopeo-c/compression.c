/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/compression.h"

#include "lib/memory.h"
#include "skopeo-c/gzip.h"
#include "skopeo-c/old_stream.h"
#include "skopeo-c/zstd_stream.h"

#include <stdlib.h>
#include <string.h>

int compression_from_name(const char *name)
{
	if (strcmp(name, "gzip") == 0)
		return COMPRESSION_GZIP;
	return strcmp(name, "zstd") == 0 ? COMPRESSION_ZSTD : -1;
}

static bool begins_with(const void *head, size_t length, const char *magic, size_t magic_length)
{
	return length >= magic_length && memcmp(head, magic, magic_length) == 0;
}

static bool is_zstd(const unsigned char *head, size_t length)
{
	/* a frame, or a skippable one */
	return begins_with(head, length, "\x28\xb5\x2f\xfd", 4) ||
	       (length >= 4 && (head[0] & 0xf0) == 0x50 &&
		memcmp(head + 1, "\x2a\x4d\x18", 3) == 0);
}

enum compression compression_of(const void *head, size_t length)
{
	if (begins_with(head, length, "BZh", 3))
		return COMPRESSION_BZIP2;
	if (begins_with(head, length, "\xfd\x37zXZ", 6))
		return COMPRESSION_XZ;
	if (is_zstd(head, length))
		return COMPRESSION_ZSTD;
	return gzip_is_gzip(head, length) ? COMPRESSION_GZIP : COMPRESSION_NONE;
}

/* ---- compressing ---- */

struct compressor {
	byte_sink *sink; /* without compression */
	void *context;
	struct gzip_writer *gzip;
	struct zstd_writer *zstd;
};

struct compressor *compressor_new(enum compression way, int level, byte_sink *sink, void *context,
				  struct error *err)
{
	struct compressor *compressor = xcalloc(1, sizeof *compressor);

	compressor->sink = sink;
	compressor->context = context;
	if (way == COMPRESSION_GZIP)
		compressor->gzip = gzip_writer_new(sink, context, level);
	if (way == COMPRESSION_ZSTD &&
	    !(compressor->zstd = zstd_writer_new(sink, context, level, err))) {
		free(compressor);
		return NULL;
	}
	return compressor;
}

int compressor_write(struct compressor *compressor, const void *data, size_t length,
		     struct error *err)
{
	if (compressor->gzip)
		return gzip_write(compressor->gzip, data, length, err);
	if (compressor->zstd)
		return zstd_write(compressor->zstd, data, length, err);
	return compressor->sink(compressor->context, data, length, err);
}

int compressor_finish(struct compressor *compressor, struct error *err)
{
	if (compressor->gzip)
		return gzip_finish(compressor->gzip, err);
	return compressor->zstd ? zstd_finish(compressor->zstd, err) : 0;
}

void compressor_free(struct compressor *compressor)
{
	if (!compressor)
		return;
	gzip_writer_free(compressor->gzip);
	zstd_writer_free(compressor->zstd);
	free(compressor);
}

/* ---- decompressing ---- */

enum { HEAD_SIZE = 6 };

struct decompressor {
	byte_sink *sink;
	void *context;
	unsigned char head[HEAD_SIZE]; /* the first bytes, until they are enough */
	size_t head_length;
	bool is_known; /* how it is compressed */
	struct gzip_reader *gzip;
	struct zstd_reader *zstd;
	struct old_reader *old;
};

struct decompressor *decompressor_new(byte_sink *sink, void *context)
{
	struct decompressor *decompressor = xcalloc(1, sizeof *decompressor);

	decompressor->sink = sink;
	decompressor->context = context;
	return decompressor;
}

static int pass_on(struct decompressor *d, const void *data, size_t length, struct error *err)
{
	if (d->gzip)
		return gzip_read(d->gzip, data, length, err);
	if (d->zstd)
		return zstd_read(d->zstd, data, length, err);
	if (d->old)
		return old_read(d->old, data, length, err);
	return d->sink(d->context, data, length, err);
}

static int decide(struct decompressor *d, struct error *err)
{
	enum compression way = compression_of(d->head, d->head_length);

	d->is_known = true;
	switch (way) {
	case COMPRESSION_NONE:
		break;
	case COMPRESSION_GZIP:
		d->gzip = gzip_reader_new(d->sink, d->context);
		break;
	case COMPRESSION_ZSTD:
		if (!(d->zstd = zstd_reader_new(d->sink, d->context, err)))
			return -1;
		break;
	case COMPRESSION_BZIP2:
	case COMPRESSION_XZ:
		d->old = old_reader_new(way == COMPRESSION_XZ ? OLD_XZ : OLD_BZIP2, d->sink,
					d->context, err);
		if (!d->old)
			return -1;
		break;
	}
	return d->head_length > 0 ? pass_on(d, d->head, d->head_length, err) : 0;
}

int decompressor_write(struct decompressor *d, const void *data, size_t length, struct error *err)
{
	const unsigned char *at = data;

	while (!d->is_known && length > 0) {
		d->head[d->head_length++] = *at++;
		length--;
		if (d->head_length == HEAD_SIZE && decide(d, err) < 0)
			return -1;
	}
	return length > 0 ? pass_on(d, at, length, err) : 0;
}

int decompressor_finish(struct decompressor *d, struct error *err)
{
	if (!d->is_known && decide(d, err) < 0)
		return -1;
	if (d->gzip)
		return gzip_read_end(d->gzip, err);
	if (d->old)
		return old_read_end(d->old, err);
	return d->zstd ? zstd_read_end(d->zstd, err) : 0;
}

void decompressor_free(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	gzip_reader_free(decompressor->gzip);
	zstd_reader_free(decompressor->zstd);
	old_reader_free(decompressor->old);
	free(decompressor);
}
