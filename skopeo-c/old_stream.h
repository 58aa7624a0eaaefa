/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 and xz, in which layers of old are compressed: they are only read. libbz2 and liblzma are
 * loaded when they are first needed. */
#pragma once
#include "skopeo-c/byte_sink.h"

enum old_way { OLD_BZIP2, OLD_XZ };

struct old_reader;

/* Decompressed bytes go to sink; streams that follow each other are one. */
struct old_reader *old_reader_new(enum old_way way, byte_sink *sink, void *context,
				  struct error *err);
/* ERROR_LIMIT for what needs more than 128 MiB of memory to be read. */
int old_read(struct old_reader *reader, const void *data, size_t length, struct error *err);
/* ERROR_INTEGRITY when the stream ends in the middle. */
int old_read_end(struct old_reader *reader, struct error *err);
void old_reader_free(struct old_reader *reader);
