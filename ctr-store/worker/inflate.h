/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uncompressed bytes of a layer. What the compression is, the first bytes say: media types in
 * manifests are often wrong.
 *
 *   gzip    all members; zeros may follow the last one, anything else is an error
 *   zstd    all frames, skippable ones passed over; windows up to 128 MiB
 *   bzip2, xz    by libarchive
 *   else    taken as it is
 */
#pragma once
#include "ctr-store/worker/source.h"

#include <stdbool.h>

struct inflater {
	const struct codec *codec;
	void *state;	       /* the codec's */
	struct source *source; /* borrowed */
};

/* A kind of compression. Codecs read from the source with source_fill(). */
struct codec {
	const char *name;
	bool (*matches)(const unsigned char *data, size_t length);
	void *(*start)(struct source *source, struct error *err);
	/* Up to `size` bytes; 0 only at the end of everything that belongs to the stream. */
	ssize_t (*read)(void *state, void *out, size_t size, struct error *err);
	void (*stop)(void *state);
};

extern const struct codec codec_gzip, codec_zstd, codec_bzip2, codec_xz, codec_none;

/* Detect the compression and start. */
int inflater_start(struct inflater *inflater, struct source *source, struct error *err);

/* Fill `out` as far as the data goes. Less than `size`, and then 0, at the end; -1 on error. */
ssize_t inflater_read(struct inflater *inflater, unsigned char *out, size_t size,
		      struct error *err);
void inflater_stop(struct inflater *inflater);
