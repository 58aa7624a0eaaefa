/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_age.h"

#include "lib/cli.h"
#include "skopeo-c/image_age.h"
#include "skopeo-c/registry_pool.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>

static int is_young(const struct sync_list *list, const struct sync_item *item,
		    const struct copy_request *request, struct http *http,
		    struct registry_pool *pool, int64_t oldest, struct error *err)
{
	const struct transport_settings settings = {
		.cli = request->cli,
		.http = http,
		.access = list->repositories[item->repository].access,
		.pool = pool,
	};
	cleanup_transport struct transport from = { 0 };
	int64_t made = -1;

	if (transport_open(&from, item->source, &settings, err) < 0 ||
	    image_age(&from, NULL, &made, err) < 0)
		return -1;
	/* one that does not say when is not taken for old: an artifact, a build that can be
	 * repeated */
	return made < 0 || made >= oldest;
}

int sync_age_reduce(struct sync_list *list, const struct copy_request *request, struct http *http,
		    int64_t oldest, struct error *err)
{
	cleanup_registry_pool struct registry_pool pool = { 0 };
	size_t kept = 0, repository = 0;
	int young = 0;

	for (size_t i = 0; i < list->count && young >= 0; i++) {
		struct sync_item *item = &list->items[i];

		if (item->repository != repository) /* which has an access of its own */
			registry_pool_free(&pool);
		repository = item->repository;
		young = is_young(list, item, request, http, &pool, oldest, err);
		/* one that cannot be looked at is not left out: why shows when it is copied */
		if (young < 0 && !cli_interrupted())
			young = 1;
		if (young > 0) {
			struct sync_item moved = *item;

			*item = list->items[kept];
			list->items[kept++] = moved;
		}
	}
	if (young < 0)
		return -1;
	sync_list_cut(list, kept);
	return 0;
}
