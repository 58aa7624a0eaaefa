/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard (RFC 8878): the library itself passes over skippable frames and starts the next frame
 * where one ends. */
#include "ctr-store/worker/inflate.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct zstd_state {
	struct source *source;
	ZSTD_DStream *stream;
	size_t hint; /* what ZSTD_decompressStream() said last; 0: a frame has just ended */
	unsigned long long expected, got; /* bytes of the frame, by its header and in fact */
};

enum { HEADER_MAX = 18 /* bytes of a frame's header */ };

static bool zstd_matches(const unsigned char *data, size_t length)
{
	if (length < 4)
		return false;
	if (data[0] == 0x28 && data[1] == 0xb5 && data[2] == 0x2f && data[3] == 0xfd)
		return true;
	/* the first frame may be a skippable one */
	return (data[0] & 0xf0) == 0x50 && data[1] == 0x2a && data[2] == 0x4d && data[3] == 0x18;
}

static void *zstd_start(struct source *source, struct error *err)
{
	ZSTD_DStream *stream = ZSTD_createDStream();

	if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27))) {
		ZSTD_freeDStream(stream);
		error_set(err, ERROR_FAILED, "cannot start the decompressor");
		return NULL;
	}

	struct zstd_state *state = xcalloc(1, sizeof *state);
	*state = (struct zstd_state){ .source = source, .stream = stream };
	return state;
}

static int zstd_failed(size_t status, struct error *err)
{
	ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
	bool too_large = code == ZSTD_error_frameParameter_windowTooLarge ||
			 code == ZSTD_error_memory_allocation;

	return error_set(err, too_large ? ERROR_LIMIT : ERROR_INTEGRITY, "%s",
			 ZSTD_getErrorName(status));
}

static void begin_frame(struct zstd_state *state, const ZSTD_inBuffer *input)
{
	state->expected = ZSTD_getFrameContentSize(input->src, input->size);
	state->got = 0;
}

/* By ZSTD_decompressStream() alone a frame that ends in an empty block may have any size. */
static bool is_complete(const struct zstd_state *state)
{
	return state->expected == ZSTD_CONTENTSIZE_UNKNOWN ||
	       state->expected == ZSTD_CONTENTSIZE_ERROR || state->got == state->expected;
}

static ssize_t zstd_read(void *opaque, void *out, size_t size, struct error *err)
{
	struct zstd_state *state = opaque;
	struct source *source = state->source;
	ZSTD_outBuffer output = { .dst = out, .size = size };

	while (output.pos == 0) {
		bool begins = state->hint == 0;
		ssize_t available = source_fill(source, begins ? HEADER_MAX : 1, err);

		if (available < 0)
			return -1;
		if (available == 0 && begins)
			return 0;

		ZSTD_inBuffer input = { source->buffer + source->start, (size_t)available, 0 };
		if (begins)
			begin_frame(state, &input);
		state->hint = ZSTD_decompressStream(state->stream, &output, &input);
		source->start += input.pos;
		state->got += output.pos;
		if (ZSTD_isError(state->hint))
			return zstd_failed(state->hint, err);
		if (state->hint == 0 && !is_complete(state))
			return error_set(err, ERROR_INTEGRITY,
					 "a frame does not have the size that its header says");
		if (available == 0 && output.pos == 0)
			return error_set(err, ERROR_INTEGRITY, "the layer ends in mid-frame");
	}
	return (ssize_t)output.pos;
}

static void zstd_stop(void *opaque)
{
	struct zstd_state *state = opaque;

	ZSTD_freeDStream(state->stream);
	free(state);
}

const struct codec codec_zstd = { "zstd", zstd_matches, zstd_start, zstd_read, zstd_stop };
