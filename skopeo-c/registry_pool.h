/* SPDX-License-Identifier: Apache-2.0 */
/* The registries that a command has opened, one for each repository: how to speak to them and who
 * we are is found out once, however many images the command looks at. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/registry.h"

struct registry_pool {
	struct pooled_registry **items; /* calls borrow what is in them */
	size_t count;
};

/* As registry_open(), where none of the same endpoint was opened before. All of a pool are asked
 * with the same access and for the same actions. The pool owns it. */
struct registry *registry_pool_open(struct registry_pool *pool, struct http *http,
				    const struct access *access, const struct endpoint *endpoint,
				    const char *named, const char *actions, struct error *err);
/* After all calls to them. */
void registry_pool_free(struct registry_pool *pool);
#define cleanup_registry_pool __attribute__((cleanup(registry_pool_free)))
