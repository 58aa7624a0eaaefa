/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/old_stream.h"

#include "lib/library.h"
#include "lib/memory.h"

#include <bzlib.h>
#include <lzma.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { OUT_SIZE = 256 << 10, MEMORY_MAX = 128 << 20 };

#define BZIP2_FUNCTIONS(X)                                                                         \
	X(BZ2_bzDecompressInit)                                                                    \
	X(BZ2_bzDecompress)                                                                        \
	X(BZ2_bzDecompressEnd)

#define XZ_FUNCTIONS(X)                                                                            \
	X(lzma_stream_decoder)                                                                     \
	X(lzma_code)                                                                               \
	X(lzma_end)

#define FIELD(name)  __typeof__(name) *name;
#define SYMBOL(name) #name,

static struct {
	BZIP2_FUNCTIONS(FIELD)
} bzip2;

static struct {
	XZ_FUNCTIONS(FIELD)
} xz;

/* Layers are read by several threads. */
static int load(enum old_way way, struct error *err)
{
	static const char *const bzip2_symbols[] = { BZIP2_FUNCTIONS(SYMBOL) NULL };
	static const char *const xz_symbols[] = { XZ_FUNCTIONS(SYMBOL) NULL };
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static bool loaded[OLD_XZ + 1];

	pthread_mutex_lock(&mutex);
	if (!loaded[way])
		loaded[way] = (way == OLD_XZ ? library_load("liblzma.so.5", "xz needs liblzma",
							    xz_symbols, &xz, err)
					     : library_load("libbz2.so.1.0", "bzip2 needs libbz2",
							    bzip2_symbols, &bzip2, err)) == 0;
	bool is_there = loaded[way];
	pthread_mutex_unlock(&mutex);
	return is_there ? 0 : -1;
}

struct old_reader {
	enum old_way way;
	byte_sink *sink;
	void *context;
	bz_stream bz;
	lzma_stream lzma;
	bool in_stream; /* of bzip2, which knows but one at a time */
	unsigned char out[OUT_SIZE];
};

struct old_reader *old_reader_new(enum old_way way, byte_sink *sink, void *context,
				  struct error *err)
{
	if (load(way, err) < 0)
		return NULL;
	struct old_reader *reader = xcalloc(1, sizeof *reader);
	reader->way = way;
	reader->sink = sink;
	reader->context = context;
	if (way == OLD_XZ &&
	    xz.lzma_stream_decoder(&reader->lzma, MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK)
		abort(); /* without memory */
	return reader;
}

static int give(struct old_reader *reader, size_t left, struct error *err)
{
	size_t length = sizeof reader->out - left;

	return length == 0 ? 0 : reader->sink(reader->context, reader->out, length, err);
}

/* ---- bzip2 ---- */

static int read_bzip2(struct old_reader *reader, char *data, unsigned length, struct error *err)
{
	bz_stream *bz = &reader->bz;
	bool is_full = false;

	bz->next_in = data;
	bz->avail_in = length;
	while (bz->avail_in > 0 || is_full) {
		if (!reader->in_stream && bzip2.BZ2_bzDecompressInit(bz, 0, 0) != BZ_OK)
			abort(); /* without memory */
		reader->in_stream = true;
		bz->next_out = (char *)reader->out;
		bz->avail_out = sizeof reader->out;
		int status = bzip2.BZ2_bzDecompress(bz);
		if (status != BZ_OK && status != BZ_STREAM_END)
			return error_set(err, ERROR_INTEGRITY, "the bzip2 data is corrupt");
		is_full = bz->avail_out == 0 && status == BZ_OK;
		if (give(reader, bz->avail_out, err) < 0)
			return -1;
		if (status == BZ_STREAM_END) {
			bzip2.BZ2_bzDecompressEnd(bz);
			reader->in_stream = false;
		}
	}
	return 0;
}

/* ---- xz ---- */

static int run_xz(struct old_reader *reader, lzma_action action, struct error *err)
{
	lzma_stream *lzma = &reader->lzma;
	lzma_ret status = LZMA_OK;

	do {
		lzma->next_out = reader->out;
		lzma->avail_out = sizeof reader->out;
		status = xz.lzma_code(lzma, action);
		if (status == LZMA_MEMLIMIT_ERROR)
			return error_set(err, ERROR_LIMIT,
					 "the xz data needs more than %d MiB to be read",
					 MEMORY_MAX >> 20);
		if (status == LZMA_BUF_ERROR && action == LZMA_RUN)
			break; /* nothing to do */
		if (status == LZMA_BUF_ERROR)
			return error_set(err, ERROR_INTEGRITY, "the xz data is cut off");
		if (status != LZMA_OK && status != LZMA_STREAM_END)
			return error_set(err, ERROR_INTEGRITY, "the xz data is corrupt");
		if (give(reader, lzma->avail_out, err) < 0)
			return -1;
	} while (status == LZMA_OK &&
		 (lzma->avail_in > 0 || lzma->avail_out == 0 || action == LZMA_FINISH));
	return 0;
}

/* ---- both ---- */

int old_read(struct old_reader *reader, const void *data, size_t length, struct error *err)
{
	if (reader->way == OLD_BZIP2)
		return read_bzip2(reader, (char *)data, (unsigned)length, err);
	reader->lzma.next_in = data;
	reader->lzma.avail_in = length;
	return run_xz(reader, LZMA_RUN, err);
}

int old_read_end(struct old_reader *reader, struct error *err)
{
	if (reader->way == OLD_XZ)
		return run_xz(reader, LZMA_FINISH, err);
	return reader->in_stream ? error_set(err, ERROR_INTEGRITY, "the bzip2 data is cut off") : 0;
}

void old_reader_free(struct old_reader *reader)
{
	if (!reader)
		return;
	if (reader->way == OLD_XZ)
		xz.lzma_end(&reader->lzma);
	else if (reader->in_stream)
		bzip2.BZ2_bzDecompressEnd(&reader->bz);
	free(reader);
}
