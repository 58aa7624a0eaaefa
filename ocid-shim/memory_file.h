/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* A file in memory that holds the JSON, to be handed to a runtime. The descriptor is the caller's.
 */
int memory_file(const char *name, const json_t *content, struct error *err);
