/* SPDX-License-Identifier: Apache-2.0 */
/* From an OCI image configuration to a runtime configuration (image-spec conversion.md). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct generation;

/* ERROR_INTEGRITY where the image's configuration is malformed, ERROR_UNSUPPORTED where it is for
 * another operating system. */
int image_apply(struct generation *g, const json_t *image, struct error *err);

/* True for an annotation by which a runtime takes orders: neither an image nor a pod has a say. */
bool image_annotation_is_order(const char *key);
