/* SPDX-License-Identifier: Apache-2.0 */
/* Media types of layers, OCI's (image-spec, layer.md) and Docker's. Pure. */
#pragma once
#include "skopeo-c/compression.h"

#include <stdbool.h>

struct layer_type {
	bool is_foreign; /* "nondistributable" */
	enum compression way;
};

/* False for what is no layer of a file system. */
bool layer_type_parse(const char *media_type, struct layer_type *type);

/* The media type; NULL where there is none, as Docker's of zstd. */
const char *layer_type_name(const struct layer_type *type, bool is_docker);
