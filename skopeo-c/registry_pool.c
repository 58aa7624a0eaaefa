/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/registry_pool.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

struct pooled_registry {
	struct registry registry;
	char *named; /* credentials depend on it */
	bool is_mirror;
};

static bool serves(const struct pooled_registry *pooled, const struct endpoint *endpoint,
		   const char *named)
{
	return pooled->is_mirror == endpoint->is_mirror &&
	       strcmp(pooled->registry.name, endpoint->registry) == 0 &&
	       strcmp(pooled->registry.repository, endpoint->repository) == 0 &&
	       strcmp(pooled->named, named) == 0;
}

struct registry *registry_pool_open(struct registry_pool *pool, struct http *http,
				    const struct access *access, const struct endpoint *endpoint,
				    const char *named, const char *actions, struct error *err)
{
	struct registry registry;

	/* names come in groups: the latest first */
	for (size_t i = pool->count; i-- > 0;)
		if (serves(pool->items[i], endpoint, named))
			return &pool->items[i]->registry;
	if (registry_open(http, access, endpoint, named, actions, &registry, err) < 0)
		return NULL;

	struct pooled_registry *pooled = xcalloc(1, sizeof *pooled);
	*pooled = (struct pooled_registry){ .registry = registry,
					    .named = xstrdup(named),
					    .is_mirror = endpoint->is_mirror };
	pool->items = xgrow(pool->items, pool->count, sizeof(void *));
	pool->items[pool->count++] = pooled;
	return &pooled->registry;
}

void registry_pool_free(struct registry_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++) {
		registry_close(&pool->items[i]->registry);
		free(pool->items[i]->named);
		free(pool->items[i]);
	}
	free(pool->items);
	*pool = (struct registry_pool){ 0 };
}
