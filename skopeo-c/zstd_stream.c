/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/zstd_stream.h"

#include "lib/library.h"
#include "lib/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

enum {
	OUT_SIZE = 128 << 10,
	WINDOW_LEVEL_MAX = 19, /* has no wider window than WINDOW_LOG_MAX */
	WINDOW_LOG_MAX = 23    /* 8 MiB: what readers must have memory for (RFC 8878, 3.1.1.1.2) */
};

#define ZSTD_FUNCTIONS(X)                                                                          \
	X(createCCtx)                                                                              \
	X(freeCCtx)                                                                                \
	X(CCtx_setParameter)                                                                       \
	X(compressStream2)                                                                         \
	X(createDCtx)                                                                              \
	X(freeDCtx)                                                                                \
	X(decompressStream)                                                                        \
	X(isError)

static struct {
#define X(name) __typeof__(ZSTD_##name) *name;
	ZSTD_FUNCTIONS(X)
#undef X
} zstd;

/* Layers are recoded by several threads. */
static int load(struct error *err)
{
	static const char *const symbols[] = {
#define X(name) "ZSTD_" #name,
		ZSTD_FUNCTIONS(X)
#undef X
			NULL
	};
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static bool loaded;

	pthread_mutex_lock(&mutex);
	if (!loaded)
		loaded = library_load("libzstd.so.1", "zstd needs libzstd", symbols, &zstd, err) ==
			 0;
	pthread_mutex_unlock(&mutex);
	return loaded ? 0 : -1;
}

/* ---- compressing ---- */

struct zstd_writer {
	byte_sink *sink;
	void *context;
	ZSTD_CCtx *stream;
	unsigned char out[OUT_SIZE];
};

struct zstd_writer *zstd_writer_new(byte_sink *sink, void *context, int level, struct error *err)
{
	if (load(err) < 0)
		return NULL;
	struct zstd_writer *writer = xcalloc(1, sizeof *writer);
	writer->sink = sink;
	writer->context = context;
	writer->stream = zstd.createCCtx();
	if (!writer->stream)
		abort(); /* without memory */
	zstd.CCtx_setParameter(writer->stream, ZSTD_c_compressionLevel, level);
	zstd.CCtx_setParameter(writer->stream, ZSTD_c_checksumFlag, 1);
	if (level > WINDOW_LEVEL_MAX)
		zstd.CCtx_setParameter(writer->stream, ZSTD_c_windowLog, WINDOW_LOG_MAX);
	return writer;
}

static int compress(struct zstd_writer *writer, const void *data, size_t length,
		    ZSTD_EndDirective end, struct error *err)
{
	ZSTD_inBuffer in = { data, length, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { writer->out, sizeof writer->out, 0 };

		left = zstd.compressStream2(writer->stream, &out, &in, end);
		if (zstd.isError(left))
			return error_set(err, ERROR_FAILED, "zstd fails");
		if (out.pos > 0 && writer->sink(writer->context, writer->out, out.pos, err) < 0)
			return -1;
	} while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
	return 0;
}

int zstd_write(struct zstd_writer *writer, const void *data, size_t length, struct error *err)
{
	return compress(writer, data, length, ZSTD_e_continue, err);
}

int zstd_finish(struct zstd_writer *writer, struct error *err)
{
	return compress(writer, NULL, 0, ZSTD_e_end, err);
}

void zstd_writer_free(struct zstd_writer *writer)
{
	if (writer)
		zstd.freeCCtx(writer->stream);
	free(writer);
}

/* ---- decompressing ---- */

struct zstd_reader {
	byte_sink *sink;
	void *context;
	ZSTD_DCtx *stream;
	bool in_frame;
	unsigned char out[OUT_SIZE];
};

struct zstd_reader *zstd_reader_new(byte_sink *sink, void *context, struct error *err)
{
	if (load(err) < 0)
		return NULL;
	struct zstd_reader *reader = xcalloc(1, sizeof *reader);
	reader->sink = sink;
	reader->context = context;
	reader->stream = zstd.createDCtx();
	if (!reader->stream)
		abort(); /* without memory */
	return reader;
}

int zstd_read(struct zstd_reader *reader, const void *data, size_t length, struct error *err)
{
	ZSTD_inBuffer in = { data, length, 0 };
	bool is_full;

	do {
		ZSTD_outBuffer out = { reader->out, sizeof reader->out, 0 };
		size_t hint = zstd.decompressStream(reader->stream, &out, &in);

		if (zstd.isError(hint))
			return error_set(err, ERROR_INTEGRITY, "the zstd data is corrupt");
		reader->in_frame = hint != 0;
		is_full = out.pos == out.size;
		if (out.pos > 0 && reader->sink(reader->context, reader->out, out.pos, err) < 0)
			return -1;
	} while (in.pos < in.size || (is_full && reader->in_frame));
	return 0;
}

int zstd_read_end(const struct zstd_reader *reader, struct error *err)
{
	if (!reader->in_frame)
		return 0;
	return error_set(err, ERROR_INTEGRITY, "the zstd data is cut off");
}

void zstd_reader_free(struct zstd_reader *reader)
{
	if (reader)
		zstd.freeDCtx(reader->stream);
	free(reader);
}
