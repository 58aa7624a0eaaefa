/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952). ISA-L decodes about twice as fast as zlib; where it is not available at build
 * time zlib does the same. Both check the header, the CRC and the length of a member and stop
 * behind it; what follows is decided here.
 */
#include "ctr-store/worker/inflate.h"
#include "lib/memory.h"

#include <stdlib.h>

enum member_status { MEMBER_MORE, MEMBER_END, MEMBER_BAD };

#if __has_include(<isa-l/igzip_lib.h>) && !defined(WITH_ZLIB)

#include <isa-l/igzip_lib.h>

struct member {
	struct inflate_state isal;
	struct isal_gzip_header header;
};

static void member_start(struct member *member)
{
	isal_inflate_init(&member->isal);
	isal_gzip_header_init(&member->header);
	member->isal.crc_flag = ISAL_GZIP;
}

static void member_reset(struct member *member)
{
	isal_inflate_reset(&member->isal);
	isal_gzip_header_init(&member->header);
	member->isal.crc_flag = ISAL_GZIP;
}

/* isal_inflate() would read the header, too, but from one call to the next forgets the sum of one
 * that has it (FHCRC). */
static int inflate_member(struct member *member)
{
	struct inflate_state *isal = &member->isal;
	int status =
		isal->wrapper_flag ? ISAL_DECOMP_OK : isal_read_gzip_header(isal, &member->header);

	return status == ISAL_DECOMP_OK ? isal_inflate(isal) : status;
}

static enum member_status member_run(struct member *member, const unsigned char *in,
				     size_t *in_size, unsigned char *out, size_t *out_size)
{
	struct inflate_state *isal = &member->isal;

	isal->next_in = (uint8_t *)in;
	isal->avail_in = (uint32_t)*in_size;
	isal->next_out = out;
	isal->avail_out = (uint32_t)*out_size;

	int status = inflate_member(member);
	*in_size -= isal->avail_in;
	*out_size -= isal->avail_out;
	if (status < 0)
		return MEMBER_BAD;
	return isal->block_state == ISAL_BLOCK_FINISH ? MEMBER_END : MEMBER_MORE;
}

static void member_stop(struct member *member)
{
	(void)member;
}

#else

#include <zlib.h>

struct member {
	z_stream zlib;
};

static void member_start(struct member *member)
{
	/* 15 + 16: the largest window, with a gzip header; fails only for lack of memory, and then
	 * so does the first inflate() */
	inflateInit2(&member->zlib, 15 + 16);
}

static void member_reset(struct member *member)
{
	inflateReset(&member->zlib);
}

static enum member_status member_run(struct member *member, const unsigned char *in,
				     size_t *in_size, unsigned char *out, size_t *out_size)
{
	z_stream *zlib = &member->zlib;

	zlib->next_in = (unsigned char *)in;
	zlib->avail_in = (unsigned)*in_size;
	zlib->next_out = out;
	zlib->avail_out = (unsigned)*out_size;

	int status = inflate(zlib, Z_NO_FLUSH);
	*in_size -= zlib->avail_in;
	*out_size -= zlib->avail_out;
	if (status == Z_STREAM_END)
		return MEMBER_END;
	return status == Z_OK || status == Z_BUF_ERROR ? MEMBER_MORE : MEMBER_BAD;
}

static void member_stop(struct member *member)
{
	inflateEnd(&member->zlib);
}

#endif

struct gzip_state {
	struct source *source;
	struct member member;
	bool between; /* a member has ended */
};

static bool gzip_matches(const unsigned char *data, size_t length)
{
	return length >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

static void *gzip_start(struct source *source, struct error *err)
{
	struct gzip_state *state = xcalloc(1, sizeof *state);

	(void)err;
	state->source = source;
	member_start(&state->member);
	return state;
}

/* 1: another member begins; 0: the end; -1: something that does not belong here. */
static int next_member(struct gzip_state *state, struct error *err)
{
	struct source *source = state->source;
	ssize_t available;

	while ((available = source_fill(source, 2, err)) > 0 && source->buffer[source->start] == 0)
		source->start++; /* padding */
	if (available <= 0)
		return (int)available;
	if (!gzip_matches(source->buffer + source->start, (size_t)available))
		return error_set(err, ERROR_INTEGRITY, "garbage behind the compressed data");
	member_reset(&state->member);
	state->between = false;
	return 1;
}

static ssize_t gzip_read(void *opaque, void *out, size_t size, struct error *err)
{
	struct gzip_state *state = opaque;
	struct source *source = state->source;

	for (;;) {
		int begins = state->between ? next_member(state, err) : 1;
		if (begins <= 0)
			return begins;

		ssize_t available = source_fill(source, 1, err);
		if (available < 0)
			return -1;

		size_t in_size = (size_t)available, out_size = size;
		enum member_status status = member_run(
			&state->member, source->buffer + source->start, &in_size, out, &out_size);
		source->start += in_size;
		if (status == MEMBER_BAD)
			return error_set(err, ERROR_INTEGRITY, "corrupt data");
		state->between = status == MEMBER_END;
		if (out_size > 0)
			return (ssize_t)out_size;
		if (in_size == 0 && status == MEMBER_MORE)
			return error_set(err, ERROR_INTEGRITY, "the layer is truncated");
	}
}

static void gzip_stop(void *opaque)
{
	struct gzip_state *state = opaque;

	member_stop(&state->member);
	free(state);
}

const struct codec codec_gzip = { "gzip", gzip_matches, gzip_start, gzip_read, gzip_stop };
