/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the configuration of an image (image-spec, config.md). Pure functions on JSON. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* Check a patch that a user gives for a configuration: an object that leaves alone what follows
 * from the layers (rootfs, history). */
int image_config_check_patch(const json_t *patch, struct error *err);

/* Check that all that is run from it has the right type: ERROR_USAGE names the key. */
int image_config_check(const json_t *config, struct error *err);
