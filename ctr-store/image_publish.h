/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a new image into the store: what `commit` and `import` have in common. */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/layout.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;

/* The name of the file in the staging directory that becomes the new layer's blob. */
#define IMAGE_LAYER_FILE "layer"

/* An image in the making. */
struct publication {
	struct store store;
	struct layout layout;
	struct staging staging;
	char *name;		 /* the image gets it; or NULL */
	json_t *patch;		 /* for its configuration; or NULL */
	char layer[DIGEST_SIZE]; /* of IMAGE_LAYER_FILE; "" where there is no such file */
	long long layer_size;
	json_t *config; /* the image configuration */
};

/* Open the store, with the name and the file (NULL, "-" for stdin) of a patch that the user gave.
 */
int publication_open(const struct cli *cli, const char *name, const char *patch,
		     struct publication *publication, struct error *err);
void publication_free(struct publication *publication);
#define cleanup_publication __attribute__((cleanup(publication_free)))

/* Make it an image whose manifest has `layers`, all their descriptors. Blobs first, the index last:
 * a crash leaves nothing but what gc removes. `inherited` are digests of objects of another image
 * that it needs, or NULL. Returns the image's row, which the caller owns. */
json_t *publication_finish(const struct publication *publication, const json_t *layers,
			   const json_t *inherited, struct error *err);

/* One more entry of a configuration's history; `empty` for a change without a layer. The caller
 * owns it. */
json_t *image_history_entry(const char *created, const char *created_by, bool empty);
