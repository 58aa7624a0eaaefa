/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/gzip.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if !defined GZIP_BY_ZLIB && __has_include(<isa-l/igzip_lib.h>)
#define USE_ISAL 1
#include <isa-l/igzip_lib.h>
#else
#define USE_ISAL 0
#include <zlib.h>
#endif

enum { PIECE = 256 << 10 };

struct gzip_writer {
	byte_sink *sink;
	void *context;
	size_t used; /* bytes waiting in `in` */
#if USE_ISAL
	struct isal_zstream stream;
	uint8_t level_buffer[ISAL_DEF_LVL3_DEFAULT];
#else
	z_stream stream;
#endif
	unsigned char in[PIECE], out[PIECE];
};

struct gzip_reader {
	byte_sink *sink;
	void *context;
	bool in_member;
#if USE_ISAL
	struct inflate_state stream;
	struct isal_gzip_header header; /* of the member */
#else
	z_stream stream;
#endif
	unsigned char out[PIECE];
};

bool gzip_is_gzip(const void *data, size_t length)
{
	return length >= 3 && memcmp(data, "\x1f\x8b\x08", 3) == 0;
}

static int broken(struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "the gzip data is corrupt");
}

#if USE_ISAL

static void writer_init(struct gzip_writer *writer, int level)
{
	isal_deflate_init(&writer->stream);
	writer->stream.level = level > 0 && level < 3 ? (uint32_t)level : 3;
	writer->stream.level_buf = writer->level_buffer;
	writer->stream.level_buf_size = sizeof writer->level_buffer;
	writer->stream.gzip_flag = IGZIP_GZIP;
}

/* Compress what is in `in`. */
static int compress_piece(struct gzip_writer *writer, bool last, struct error *err)
{
	struct isal_zstream *stream = &writer->stream;

	stream->next_in = writer->in;
	stream->avail_in = (uint32_t)writer->used;
	stream->end_of_stream = last;
	do {
		stream->next_out = writer->out;
		stream->avail_out = sizeof writer->out;
		if (isal_deflate(stream) != COMP_OK)
			return error_set(err, ERROR_FAILED, "igzip fails");
		size_t length = sizeof writer->out - stream->avail_out;
		if (writer->sink(writer->context, writer->out, length, err) < 0)
			return -1;
	} while (stream->avail_out == 0);
	writer->used = 0;
	return 0;
}

void gzip_writer_free(struct gzip_writer *writer)
{
	free(writer);
}

static void reader_init(struct gzip_reader *reader)
{
	isal_inflate_init(&reader->stream);
	reader->stream.crc_flag = ISAL_GZIP;
}

static void begin_member(struct gzip_reader *reader)
{
	/* keeps crc_flag */
	isal_inflate_reset(&reader->stream);
	isal_gzip_header_init(&reader->header);
	reader->in_member = true;
}

int gzip_read(struct gzip_reader *reader, const void *data, size_t length, struct error *err)
{
	struct inflate_state *stream = &reader->stream;

	stream->next_in = (uint8_t *)data;
	stream->avail_in = (uint32_t)length;
	do {
		if (!reader->in_member && stream->avail_in > 0)
			begin_member(reader);
		/* isal_inflate() would read the header, too, but from one call to the next forgets
		 * the sum of one that has it (FHCRC) */
		if (reader->in_member && !stream->wrapper_flag) {
			int status = isal_read_gzip_header(stream, &reader->header);

			if (status == ISAL_END_INPUT)
				return 0;
			if (status != ISAL_DECOMP_OK)
				return broken(err);
		}
		stream->next_out = reader->out;
		stream->avail_out = sizeof reader->out;
		if (isal_inflate(stream) != ISAL_DECOMP_OK)
			return broken(err);
		size_t got = sizeof reader->out - stream->avail_out;
		if (got > 0 && reader->sink(reader->context, reader->out, got, err) < 0)
			return -1;
		if (stream->block_state == ISAL_BLOCK_FINISH)
			reader->in_member = false;
	} while (stream->avail_in > 0 || (reader->in_member && stream->avail_out == 0));
	return 0;
}

void gzip_reader_free(struct gzip_reader *reader)
{
	free(reader);
}

#else

enum { GZIP_WINDOW = 15 + 16 }; /* zlib's way to say gzip with its largest window */

static void writer_init(struct gzip_writer *writer, int level)
{
	if (deflateInit2(&writer->stream, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			 GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* without memory */
	/* the same on every system */
	static gz_header header = { .os = 255 };
	deflateSetHeader(&writer->stream, &header);
}

/* Compress what is in `in`. */
static int compress_piece(struct gzip_writer *writer, bool last, struct error *err)
{
	z_stream *stream = &writer->stream;

	stream->next_in = writer->in;
	stream->avail_in = (uInt)writer->used;
	do {
		stream->next_out = writer->out;
		stream->avail_out = sizeof writer->out;
		if (deflate(stream, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
			return error_set(err, ERROR_FAILED, "zlib fails");
		size_t length = sizeof writer->out - stream->avail_out;
		if (writer->sink(writer->context, writer->out, length, err) < 0)
			return -1;
	} while (stream->avail_out == 0);
	writer->used = 0;
	return 0;
}

void gzip_writer_free(struct gzip_writer *writer)
{
	if (writer)
		deflateEnd(&writer->stream);
	free(writer);
}

static void reader_init(struct gzip_reader *reader)
{
	if (inflateInit2(&reader->stream, GZIP_WINDOW) != Z_OK)
		abort(); /* without memory */
}

int gzip_read(struct gzip_reader *reader, const void *data, size_t length, struct error *err)
{
	z_stream *stream = &reader->stream;

	stream->next_in = (Bytef *)data;
	stream->avail_in = (uInt)length;
	do {
		if (!reader->in_member && stream->avail_in > 0) {
			inflateReset(stream);
			reader->in_member = true;
		}
		stream->next_out = reader->out;
		stream->avail_out = sizeof reader->out;
		int status = inflate(stream, Z_NO_FLUSH);
		if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
			return broken(err);
		size_t got = sizeof reader->out - stream->avail_out;
		if (got > 0 && reader->sink(reader->context, reader->out, got, err) < 0)
			return -1;
		if (status == Z_STREAM_END)
			reader->in_member = false;
	} while (stream->avail_in > 0 || (reader->in_member && stream->avail_out == 0));
	return 0;
}

void gzip_reader_free(struct gzip_reader *reader)
{
	if (reader)
		inflateEnd(&reader->stream);
	free(reader);
}

#endif

struct gzip_writer *gzip_writer_new(byte_sink *sink, void *context, int level)
{
	struct gzip_writer *writer = xcalloc(1, sizeof *writer);

	writer->sink = sink;
	writer->context = context;
	writer_init(writer, level);
	return writer;
}

int gzip_write(struct gzip_writer *writer, const void *data, size_t length, struct error *err)
{
	const unsigned char *at = data;

	while (length > 0) {
		size_t part = sizeof writer->in - writer->used;

		if (part > length)
			part = length;
		memcpy(writer->in + writer->used, at, part);
		writer->used += part;
		at += part;
		length -= part;
		if (writer->used == sizeof writer->in && compress_piece(writer, false, err) < 0)
			return -1;
	}
	return 0;
}

int gzip_finish(struct gzip_writer *writer, struct error *err)
{
	return compress_piece(writer, true, err);
}

struct gzip_reader *gzip_reader_new(byte_sink *sink, void *context)
{
	struct gzip_reader *reader = xcalloc(1, sizeof *reader);

	reader->sink = sink;
	reader->context = context;
	reader_init(reader);
	return reader;
}

int gzip_read_end(const struct gzip_reader *reader, struct error *err)
{
	return reader->in_member ? broken(err) : 0;
}
