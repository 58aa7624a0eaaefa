/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a new image into the store. */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/layout.h"

#include <jansson.h>
#include <stdbool.h>

struct staging;

/* The name of the file in the staging directory that becomes the new layer's blob. */
#define IMAGE_LAYER_FILE "layer"

struct publication {
	const struct layout *layout;
	const struct staging *staging;
	const char *name;	 /* the image gets it; or NULL */
	const char *layer;	 /* digest of IMAGE_LAYER_FILE; "" where there is no such file */
	const json_t *config;	 /* the image configuration */
	const json_t *layers;	 /* the manifest's, all descriptors */
	const json_t *inherited; /* digests of objects of another image that it needs; or NULL */
};

/* Blobs first, the index last: a crash leaves nothing but what gc removes. `digest` gets that of
 * the manifest. */
int image_publish(const struct publication *publication, char digest[static DIGEST_SIZE],
		  struct error *err);

/* One more entry of a configuration's history; `empty` for a change without a layer. The caller
 * owns it. */
json_t *image_history_entry(const char *created, const char *created_by, bool empty);

/* Read the JSON of --config, "-" for stdin, and check it. The caller owns it. */
json_t *image_read_patch(const char *file, struct error *err);
