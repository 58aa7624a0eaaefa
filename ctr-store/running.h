/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container runs, from what ocid-shim keeps in RUNROOT/containers/<id>/. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct store;

/* ERROR_IN_USE when it does. `records` are those of its mounts. */
int running_refuse(const struct store *store, const json_t *container, const json_t *records,
		   struct error *err);
