/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of an attempt to create a container whose monitor was killed: nobody's container. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Whether there is something: the container's directory, or what the runtime keeps. The caller
 * holds the container's lock and knows that it is no container. */
bool remains_exist(const struct store *store, const char *id);

/* Remove that; facts as in state.json: runtime, runtimeOptions, cgroups. busy_fd is the container's
 * lock. */
int remains_clear(const struct store *store, const char *id, const json_t *facts, int busy_fd,
		  struct error *err);
