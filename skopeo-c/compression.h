/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which layers are compressed, behind one pair of a writer and a reader. */
#pragma once
#include "skopeo-c/byte-sink.h"

#include <stdbool.h>

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* "gzip" or "zstd"; -1 for what is neither. */
int compression_from_name(const char *name);

/* Whether data begins as a compressed stream of any kind that is known does; 6 bytes are enough. */
bool compression_is_known(const void *head, size_t length);
/* What it is; ERROR_UNSUPPORTED for bzip2 and xz. */
int compression_of(const void *head, size_t length, enum compression *way, struct error *err);

struct compressor;

/* level 0: the default of the way. */
struct compressor *compressor_new(enum compression way, int level, byte_sink *sink, void *context,
				  struct error *err);
int compressor_write(struct compressor *compressor, const void *data, size_t length,
		     struct error *err);
int compressor_finish(struct compressor *compressor, struct error *err);
void compressor_free(struct compressor *compressor);

struct decompressor;

/* Its input says by its first bytes how it is compressed: what a media type says can be wrong.
 * bzip2 and xz are ERROR_UNSUPPORTED. */
struct decompressor *decompressor_new(byte_sink *sink, void *context);
int decompressor_write(struct decompressor *decompressor, const void *data, size_t length,
		       struct error *err);
/* ERROR_INTEGRITY when the data ends in the middle. */
int decompressor_finish(struct decompressor *decompressor, struct error *err);
void decompressor_free(struct decompressor *decompressor);
