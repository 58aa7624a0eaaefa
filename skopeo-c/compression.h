/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which layers are compressed, behind one pair of a writer and a reader. */
#pragma once
#include "skopeo-c/byte_sink.h"

#include <stdbool.h>

/* The last two can only be read. */
enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_BZIP2,
	COMPRESSION_XZ
};

/* "gzip" or "zstd"; -1 for what is neither. */
int compression_from_name(const char *name);

/* How data is compressed, by its first bytes; 6 are enough. */
enum compression compression_of(const void *head, size_t length);

struct compressor;

/* level 0: the default of the way. */
struct compressor *compressor_new(enum compression way, int level, byte_sink *sink, void *context,
				  struct error *err);
int compressor_write(struct compressor *compressor, const void *data, size_t length,
		     struct error *err);
int compressor_finish(struct compressor *compressor, struct error *err);
void compressor_free(struct compressor *compressor);

struct decompressor;

/* Its input says by its first bytes how it is compressed: what a media type says can be wrong. */
struct decompressor *decompressor_new(byte_sink *sink, void *context);
int decompressor_write(struct decompressor *decompressor, const void *data, size_t length,
		       struct error *err);
/* ERROR_INTEGRITY when the data ends in the middle. */
int decompressor_finish(struct decompressor *decompressor, struct error *err);
void decompressor_free(struct decompressor *decompressor);
