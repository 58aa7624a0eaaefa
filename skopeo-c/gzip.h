/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip, by ISA-L's igzip (level 3) where it was there at build time, else by zlib. The bytes depend
 * on the data alone: no time, no name, and data is compressed in pieces of one size however it
 * arrives.
 */
#pragma once
#include "lib/error.h"
#include "skopeo-c/byte_sink.h"

#include <stdbool.h>
#include <stddef.h>

struct gzip_writer;

/* Compressed bytes go to sink. level: 1 (fast) to 9 (small), 0 for the default; igzip has three, so
 * that 3 and above are the same. */
struct gzip_writer *gzip_writer_new(byte_sink *sink, void *context, int level);
int gzip_write(struct gzip_writer *writer, const void *data, size_t length, struct error *err);
/* Write what is left and the trailer. */
int gzip_finish(struct gzip_writer *writer, struct error *err);
void gzip_writer_free(struct gzip_writer *writer);

struct gzip_reader;

/* Decompressed bytes go to sink; members that follow each other are one stream. */
struct gzip_reader *gzip_reader_new(byte_sink *sink, void *context);
int gzip_read(struct gzip_reader *reader, const void *data, size_t length, struct error *err);
/* ERROR_INTEGRITY when the stream ends in the middle. */
int gzip_read_end(const struct gzip_reader *reader, struct error *err);
void gzip_reader_free(struct gzip_reader *reader);

/* True when data begins as gzip does. */
bool gzip_is_gzip(const void *data, size_t length);
