/* SPDX-License-Identifier: Apache-2.0 */
/* An image of the store: what its manifest and its configuration say about its layers. */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/layout.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct store;

/* overlayfs stacks at most this many directories (OVL_MAX_STACK) */
enum { IMAGE_LAYERS_MAX = 500 };

struct image_layer {
	const json_t *descriptor; /* borrowed from the image, like all pointers here */
	const char *blob, *diff_id;
	char chain_id[DIGEST_SIZE];
};

struct image {
	json_t *json;	    /* {name?, descriptor, manifest, config}: the document's `image` */
	const char *digest; /* of the manifest */
	const char *id;	    /* the digest of the configuration */
	const char *name;   /* full reference, or NULL */
	struct image_layer *layers; /* lowest first */
	size_t layer_count;
};

/* Check the `image` field of a document. Takes a reference of its own. */
int image_from_json(json_t *json, struct image *image, struct error *err);

/* Open the store's layout; it is made when it is missing. Those of additional stores are added. */
int image_layout(const struct store *store, struct layout *layout, struct error *err);

/* The image that `name` means (see layout_resolve()). */
int image_find(const struct store *store, const char *name, struct image *image, struct error *err);

/* The same for many names, for which the index is read once. Zero-initialise the source. */
struct image_source {
	struct layout layout;
	json_t *index; /* NULL: nothing is read yet */
	char *rows;    /* the list of images where it is known, one a line; read for the first id */
};

int image_source_find(const struct store *store, struct image_source *source, const char *name,
		      struct image *image, struct error *err);
void image_source_free(struct image_source *source);

/* Whether the name means an image, even a damaged one. */
bool image_source_has(const struct store *store, struct image_source *source, const char *name);
#define cleanup_image_source __attribute__((cleanup(image_source_free)))

#define IMAGE_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define IMAGE_CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"

/* The descriptor of a text that is, or could be, a blob. The caller owns it. */
json_t *image_describe(const char *media_type, const char *text);

/* The image of nothing: no layers and an empty configuration for this machine. It is not in the
 * store. */
void image_scratch(struct image *image);

/* The full form of a name that an image is to get: it needs a repository, gets a tag, and cannot
 * have a digest. The caller frees it. */
char *image_new_name(const char *text, struct error *err);

void image_free(struct image *image);
#define cleanup_image __attribute__((cleanup(image_free)))

/* How people know it: its name, else its id. Borrowed. */
const char *image_label(const struct image *image);

/* The digests that stand for all its objects, for staging_refer(). The caller owns it. */
json_t *image_references(const struct image *image);
