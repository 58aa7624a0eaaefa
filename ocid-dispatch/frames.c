/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/frames.h"

#include <string.h>

enum { TYPE_RST_STREAM = 3 };

static size_t payload_length(const struct frames *frames)
{
	return (size_t)frames->head[0] << 16 | (size_t)frames->head[1] << 8 | frames->head[2];
}

static bool is_reset(const struct frames *frames)
{
	return frames->length >= FRAMES_HEAD && frames->head[3] == TYPE_RST_STREAM &&
	       payload_length(frames) == FRAMES_RESET - FRAMES_HEAD;
}

static int32_t stream_of(const struct frames *frames)
{
	const unsigned char *at = frames->head + 5;

	/* without the reserved bit */
	return (int32_t)(at[0] & 0x7fU) << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Move bytes into the head until it has so many. */
static bool fill(struct frames *frames, size_t wanted, const unsigned char **data, size_t *length)
{
	size_t taken = smaller(wanted - frames->length, *length);

	memcpy(frames->head + frames->length, *data, taken);
	frames->length += taken;
	*data += taken;
	*length -= taken;
	return frames->length == wanted;
}

bool frames_next(struct frames *frames, const unsigned char **data, size_t *length,
		 struct frame_piece *piece)
{
	if (frames->left > 0) {
		size_t taken = smaller(frames->left, *length);

		*piece = (struct frame_piece){ *data, taken, 0 };
		*data += taken;
		*length -= taken;
		frames->left -= taken;
		return taken > 0;
	}
	if (frames->length < FRAMES_HEAD && !fill(frames, FRAMES_HEAD, data, length))
		return false;

	bool reset = is_reset(frames);
	if (reset && !fill(frames, FRAMES_RESET, data, length))
		return false;
	*piece =
		(struct frame_piece){ frames->head, frames->length, reset ? stream_of(frames) : 0 };
	frames->left = reset ? 0 : payload_length(frames);
	frames->length = 0;
	return true;
}
