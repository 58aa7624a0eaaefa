/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the layers of an image for what files are in them. */
#pragma once
#include "skopeo-c/files_difference.h"

#include <jansson.h>

struct http;
struct transport;

struct layer_readings {
	struct layer_reading *items; /* one for each digest */
	size_t count;
	struct layer_stack stack;
};

/* Read the layers of these descriptors, several at a time, each once. Nothing of their contents is
 * kept. ERROR_UNSUPPORTED for what is no layer of files. http: NULL where no registry is read. */
int layer_readings_make(struct transport *from, struct http *http, const json_t *descriptors,
			struct layer_readings *readings, struct error *err);
void layer_readings_free(struct layer_readings *readings);
#define cleanup_layer_readings __attribute__((cleanup(layer_readings_free)))
