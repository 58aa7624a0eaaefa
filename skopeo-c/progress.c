/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/progress.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAW_MS = 100, BAR_WIDTH = 40 };

static int write_events(const struct progress *progress, const void *lines, size_t length,
			struct error *err)
{
	return file_write_fd(progress->events_fd, lines, length, "events", err);
}

static int emit(struct progress *progress, json_t *event, struct error *err)
{
	cleanup_free char *text = json_compact(event);
	cleanup_free char *line = xasprintf("%s\n", text);

	json_decref(event);
	if (!progress->awaits_image)
		return write_events(progress, line, strlen(line), err);
	buffer_add(&progress->waiting, line);
	return 0;
}

void progress_await_image(struct progress *progress)
{
	progress->awaits_image = true;
	buffer_free(&progress->waiting);
}

int progress_image(struct progress *progress, const json_t *image, struct error *err)
{
	cleanup_buffer struct buffer waiting = progress->waiting;

	progress->waiting = (struct buffer){ 0 };
	progress->awaits_image = false;
	if (progress->events_fd < 0)
		return 0;
	if (emit(progress, json_pack("{s:s, s:O}", "event", "image", "image", (json_t *)image),
		 err) < 0)
		return -1;
	return write_events(progress, buffer_data(&waiting), buffer_length(&waiting), err);
}

/* ---- bars ---- */

static void print_size(json_int_t bytes)
{
	fprintf(stderr, "%7.1f MiB", (double)bytes / (1 << 20));
}

static void draw_bar(const struct progress_bar *bar)
{
	json_int_t size = bar->blob->size;
	int full = size > 0 ? (int)(bar->offset * BAR_WIDTH / size) : BAR_WIDTH;

	fprintf(stderr, "%.19s  [", bar->blob->digest);
	for (int i = 0; i < BAR_WIDTH; i++)
		putc(i < full ? '=' : ' ', stderr);
	fputs("]", stderr);
	print_size(bar->offset);
	fputs(" /", stderr);
	print_size(size);
	putc('\n', stderr);
}

static void erase(struct progress *progress)
{
	if (progress->drawn)
		fprintf(stderr, "\033[%uA\033[J", progress->drawn);
	progress->drawn = 0;
}

static void draw(struct progress *progress)
{
	erase(progress);
	for (size_t i = 0; i < PROGRESS_BARS; i++)
		if (progress->active[i].is_active) {
			draw_bar(&progress->active[i]);
			progress->drawn++;
		}
	fflush(stderr);
	progress->drawn_at_ms = clock_ms();
}

static struct progress_bar *find_bar(struct progress *progress, const struct blob *blob)
{
	struct progress_bar *empty = NULL;

	for (size_t i = 0; i < PROGRESS_BARS; i++) {
		struct progress_bar *bar = &progress->active[i];

		if (bar->is_active && bar->blob == blob)
			return bar;
		if (!bar->is_active)
			empty = bar;
	}
	return empty;
}

static void update_bars(struct progress *progress, const struct blob *blob, enum blob_state state,
			json_int_t offset)
{
	struct progress_bar *bar = find_bar(progress, blob);

	if (!bar)
		return;
	if (state == BLOB_DONE || state == BLOB_PRESENT) {
		bar->is_active = false;
		erase(progress);
		fprintf(stderr, "%.19s  %-10s", blob->digest,
			state == BLOB_DONE ? "copied" : "is there");
		print_size(blob->size);
		putc('\n', stderr);
		draw(progress);
		return;
	}
	*bar = (struct progress_bar){ blob, offset, true };
	if (clock_ms() - progress->drawn_at_ms >= DRAW_MS)
		draw(progress);
}

void progress_end(struct progress *progress)
{
	if (progress->bars)
		erase(progress);
	fflush(stderr);
	buffer_free(&progress->waiting);
}

int progress_blob(struct progress *progress, const struct blob *blob, enum blob_state state,
		  json_int_t offset, struct error *err)
{
	static const char *const names[] = { "started", "progress", "done", "present" };

	if (progress->bars)
		update_bars(progress, blob, state, offset);
	if (progress->events_fd < 0)
		return 0;
	return emit(progress,
		    json_pack("{s:s, s:s, s:I, s:s, s:I}", "event", "blob", "digest", blob->digest,
			      "size", blob->size, "state", names[state], "offset", offset),
		    err);
}
