/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container runs, from what ocid-shim keeps in RUNROOT/containers/<id>/. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* `records` are those of its mounts. */
bool running_is(const struct store *store, const char *id, const json_t *records);

/* ERROR_IN_USE when it does. */
int running_refuse(const struct store *store, const json_t *container, const json_t *records,
		   struct error *err);
