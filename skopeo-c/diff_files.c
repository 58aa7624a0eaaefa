/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/diff_files.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/layer_type.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

enum { READ_AT_ONCE = 2 }; /* each keeps a thread busy */

struct layer_reading {
	struct blob blob;
	struct layer_reader *reader;
	struct layer_files files;
};

void layer_readings_free(struct layer_readings *readings)
{
	for (size_t i = 0; i < readings->count; i++) {
		layer_reader_free(readings->items[i].reader);
		layer_files_free(&readings->items[i].files);
	}
	free(readings->items);
	free(readings->stack.layers);
}

/* The reading of that digest; where there is none the free one behind the last. */
static struct layer_reading *find(const struct layer_readings *readings, const char *digest)
{
	struct layer_reading *reading = readings->items;

	while (reading < readings->items + readings->count &&
	       strcmp(reading->blob.digest, digest) != 0)
		reading++;
	return reading;
}

/* ---- as a destination of blobs ---- */

static int offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
		      struct error *err)
{
	struct layer_reading *reading = find(t->state, blob->digest);

	layer_reader_free(reading->reader); /* of an attempt that broke */
	reading->reader = layer_reader_new(err);
	if (!reading->reader)
		return -1;
	sink->fd = -1;
	sink->state = SINK_WANTED;
	sink->take = layer_reader_write;
	sink->taker = reading->reader;
	return 0;
}

static int commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
		       struct error *err)
{
	struct layer_reading *reading = find(t->state, blob->digest);

	(void)sink;
	if (layer_reader_finish(reading->reader, &reading->files, err) < 0)
		return error_prefix(err, "layer %s", blob->digest);
	layer_reader_free(reading->reader);
	reading->reader = NULL;
	return 0;
}

static const struct transport_class class_files = {
	.prefix = "files:",
	.offer_blob = offer_blob,
	.commit_blob = commit_blob,
};

/* ---- an image's layers ---- */

static int note_layers(const json_t *descriptors, const char *name, struct layer_readings *readings,
		       struct error *err)
{
	const json_t *descriptor;
	size_t i;

	readings->items = xcalloc(json_array_size(descriptors) + 1, sizeof *readings->items);
	json_array_foreach (descriptors, i, descriptor) {
		/* a manifest's were checked; of schema 1 the size is not known */
		const struct blob blob = {
			.digest = json_text(descriptor, "digest", ""),
			.size = json_integer_value(json_object_get(descriptor, "size")),
			.media_type = json_text(descriptor, "mediaType", ""),
		};
		struct layer_type type;

		if (!layer_type_parse(blob.media_type, &type))
			return error_set(err, ERROR_UNSUPPORTED,
					 "%s: \"%s\" is no layer of files that we can read", name,
					 blob.media_type);
		struct layer_reading *reading = find(readings, blob.digest);
		reading->blob = blob;
		if (reading == readings->items + readings->count)
			readings->count++;
	}
	return 0;
}

int layer_readings_make(struct transport *from, struct http *http, const json_t *descriptors,
			struct layer_readings *readings, struct error *err)
{
	struct transport files = { .class = &class_files,
				   .name = (char *)"files",
				   .state = readings };
	json_auto_t *in_place = json_object();
	struct progress silent = { .events_fd = -1 };
	struct transfer transfer = { .http = http,
				     .from = from,
				     .to = &files,
				     .progress = &silent,
				     .held_fd = -1,
				     .parallel = READ_AT_ONCE,
				     .in_place = in_place };
	const json_t *descriptor;
	size_t i;

	if (note_layers(descriptors, from->name, readings, err) < 0)
		return -1;
	cleanup_free struct blob *blobs = xcalloc(readings->count + 1, sizeof *blobs);
	for (i = 0; i < readings->count; i++)
		blobs[i] = readings->items[i].blob;
	if (transfer_blobs(&transfer, blobs, readings->count, err) < 0)
		return error_prefix(err, "%s", from->name);
	struct layer_stack *stack = &readings->stack;
	stack->layers = xcalloc(json_array_size(descriptors) + 1, sizeof(struct layer_files *));
	json_array_foreach (descriptors, i, descriptor) {
		stack->layers[stack->count++] =
			&find(readings, json_text(descriptor, "digest", ""))->files;
	}
	return 0;
}
