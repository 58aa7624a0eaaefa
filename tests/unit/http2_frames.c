/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting HTTP/2 at its frames, wherever a read has cut it. */
#include "ocid-dispatch/frames.h"

#include "tests/unit/tap.h"

#include <string.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* SETTINGS, RST_STREAM of stream 0x01020305, a frame with a payload, an RST_STREAM that is too
 * long, RST_STREAM of stream 7. */
static const unsigned char frames[] = {
	0, 0, 0, 4, 0, 0,    0, 0, 0,			   /* */
	0, 0, 4, 3, 0, 0x81, 2, 3, 5, 0,   0,	0,   8,	   /* the reserved bit is no part of it */
	0, 0, 3, 0, 1, 0,    0, 0, 1, 'a', 'b', 'c',	   /* */
	0, 0, 5, 3, 0, 0,    0, 0, 9, 0,   0,	0,   8, 0, /* */
	0, 0, 4, 3, 0, 0,    0, 0, 7, 0,   0,	0,   8,	   /* */
};

enum { PREFACE = sizeof preface - 1, ALL = PREFACE + sizeof frames };

/* What comes of all bytes when they are read so many at a time. */
struct outcome {
	unsigned char bytes[ALL];
	size_t length;
	int32_t resets[8];
	size_t count;
};

static struct outcome cut(const unsigned char *all, size_t step)
{
	struct frames cutter = { .left = FRAMES_PREFACE };
	struct outcome outcome = { .length = 0 };

	for (size_t at = 0; at < ALL; at += step) {
		const unsigned char *data = all + at;
		size_t length = ALL - at < step ? ALL - at : step;
		struct frame_piece piece;

		while (frames_next(&cutter, &data, &length, &piece)) {
			memcpy(outcome.bytes + outcome.length, piece.data, piece.length);
			outcome.length += piece.length;
			if (piece.reset)
				outcome.resets[outcome.count++] = piece.reset;
		}
	}
	return outcome;
}

int main(void)
{
	unsigned char all[ALL];

	memcpy(all, preface, PREFACE);
	memcpy(all + PREFACE, frames, sizeof frames);
	for (size_t step = 1; step <= ALL; step++) {
		struct outcome outcome = cut(all, step);

		ok(outcome.length == ALL && memcmp(outcome.bytes, all, ALL) == 0 &&
			   outcome.count == 2 && outcome.resets[0] == 0x01020305 &&
			   outcome.resets[1] == 7,
		   "%zu bytes at a time", step);
	}
	return tap_done();
}
