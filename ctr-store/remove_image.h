/* SPDX-License-Identifier: Apache-2.0 */
/* Taking names from images, and images out of the store. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

struct removal {
	const char *name; /* a name, a digest or an id */
	bool all;	  /* all names of the image, not only this one */
	bool force;	  /* though it is mounted or a container's */
	bool keep;	  /* only take the name: the image stays, nameless if it was the last */
};

/* Returns {"untagged": [names], "removed"?: image id}, which the caller owns. ERROR_IN_USE says
 * who uses the image. */
json_t *remove_image(const struct store *store, const struct removal *removal, struct error *err);

/* Whether the name means an image, even a damaged one. */
bool remove_image_exists(const struct store *store, const char *name);
