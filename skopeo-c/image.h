/* SPDX-License-Identifier: Apache-2.0 */
/* An image as people and documents see it: a manifest with its config. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/manifest.h"

#include <jansson.h>

struct blob_source;
struct transport;

struct image {
	const struct manifest *manifest; /* borrowed */
	struct blob config_blob;	 /* borrowed from the manifest */
	char *config_bytes;
	json_t *config; /* NULL where an artifact's config is no JSON object */
};

/* Read the config that the manifest names. An image's must be a JSON object; the one of another
 * artifact may be anything. */
int image_read(struct transport *from, const struct manifest *manifest, struct image *image,
	       struct error *err);
/* The same in two steps: transport_begin_blob() and transport_end_blob() of the config. */
int image_begin(struct transport *from, const struct manifest *manifest, struct image *image,
		struct blob_source *source, struct error *err);
int image_end(struct transport *from, struct image *image, struct blob_source *source,
	      struct error *err);
void image_free(struct image *image);
#define cleanup_image __attribute__((cleanup(image_free)))

/* The `image` field of the container document. name may be NULL. The caller owns it. */
json_t *image_field(const struct image *image, const char *name);
