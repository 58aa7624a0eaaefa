/* SPDX-License-Identifier: Apache-2.0 */
/* Images of the store, for other handlers. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct rpc_context;

/* The row of `ctr-store image` for what is really called `name`; *row stays NULL when there is
 * none. The caller owns it. */
int images_find(const struct rpc_context *context, const char *name, json_t **row,
		struct error *err);
