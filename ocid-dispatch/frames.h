/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends, cut at its frames (RFC 9113, 4.1), so that one can be left out. RST_STREAM
 * of a stream that was never opened must be: C-core sends it for a call whose deadline is over
 * before its request is sent. The RFC has the connection ended for it (5.1), and with that all its
 * calls; the servers such clients know do nothing.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMES_HEAD = 9, FRAMES_RESET = FRAMES_HEAD + 4, FRAMES_PREFACE = 24 };

/* Begins as { .left = FRAMES_PREFACE }. */
struct frames {
	size_t left; /* bytes until the next frame */
	unsigned char head[FRAMES_RESET];
	size_t length; /* of what head holds */
};

struct frame_piece {
	const unsigned char *data; /* valid until the next call */
	size_t length;
	int32_t reset; /* the stream, when this is RST_STREAM as a whole; else 0 */
};

/* The next piece of the bytes, which are taken from the front. False when there is none any more;
 * the beginning of a frame is kept. */
bool frames_next(struct frames *frames, const unsigned char **data, size_t *length,
		 struct frame_piece *piece);
