/* SPDX-License-Identifier: Apache-2.0 */
/* From an OCI image configuration to a runtime configuration (image-spec conversion.md). */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* ERROR_INTEGRITY where the image's configuration is malformed, ERROR_UNSUPPORTED where it is for
 * another operating system. */
int image_apply(struct generation *g, const json_t *image, struct error *err);
