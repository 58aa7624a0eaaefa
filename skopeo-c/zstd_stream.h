/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard (RFC 8878) by libzstd, which is loaded when it is first needed. */
#pragma once
#include "skopeo-c/byte_sink.h"

enum { ZSTD_LEVEL_MAX = 20 };

struct zstd_writer;

/* Compressed bytes go to sink. level: 1 to ZSTD_LEVEL_MAX, 0 for the default. NULL where there is
 * no libzstd. */
struct zstd_writer *zstd_writer_new(byte_sink *sink, void *context, int level, struct error *err);
int zstd_write(struct zstd_writer *writer, const void *data, size_t length, struct error *err);
int zstd_finish(struct zstd_writer *writer, struct error *err);
void zstd_writer_free(struct zstd_writer *writer);

struct zstd_reader;

/* Decompressed bytes go to sink; frames that follow each other are one stream, and skippable ones
 * (the indexes of zstd:chunked and eStargz) are nothing. */
struct zstd_reader *zstd_reader_new(byte_sink *sink, void *context, struct error *err);
int zstd_read(struct zstd_reader *reader, const void *data, size_t length, struct error *err);
/* ERROR_INTEGRITY when the stream ends in the middle. */
int zstd_read_end(const struct zstd_reader *reader, struct error *err);
void zstd_reader_free(struct zstd_reader *reader);
