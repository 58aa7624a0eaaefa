/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use, as the tools say it. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct rpc_context;

/* The rows of `ocid-shim stats` of all containers that have not stopped, and those of `ctr-store
 * containers --size`, as objects by their ids. NULL on failure; the caller owns them. */
json_t *stats_uses(const struct rpc_context *context, struct error *err);
json_t *stats_sizes(const struct rpc_context *context, struct error *err);
