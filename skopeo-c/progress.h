/* SPDX-License-Identifier: Apache-2.0 */
/* What a copy tells while it runs: bars for people on a terminal's stderr, events (JSON Lines, man
 * 1 skopeo-c, EVENTS) for programs on a descriptor. */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "skopeo-c/manifest.h"

#include <stdbool.h>
#include <stdint.h>

enum blob_state { BLOB_STARTED, BLOB_MOVING, BLOB_DONE, BLOB_PRESENT };

struct progress_bar {
	const struct blob *blob;
	json_int_t offset;
	bool is_active;
};

enum { PROGRESS_BARS = 8 };

struct progress {
	int events_fd; /* -1: nowhere */
	bool awaits_image;
	struct buffer waiting; /* the events of blobs that come after it */
	bool bars;
	unsigned drawn; /* lines that the next drawing replaces */
	int64_t drawn_at_ms;
	struct progress_bar active[PROGRESS_BARS];
};

/* Blobs are told of from now on, but not before the image is. */
void progress_await_image(struct progress *progress);

/* Tell of the image, once its manifest and config are verified. Errors here and below are those of
 * writing to events_fd. */
int progress_image(struct progress *progress, const json_t *image, struct error *err);

/* Tell where a blob is. "progress" is told at most twice a second a blob. */
int progress_blob(struct progress *progress, const struct blob *blob, enum blob_state state,
		  json_int_t offset, struct error *err);

/* Take the bars off the terminal, and free what waits. */
void progress_end(struct progress *progress);
