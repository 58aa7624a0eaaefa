/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync-age.h"

#include "lib/json.h"
#include "skopeo-c/age.h"
#include "skopeo-c/image.h"
#include "skopeo-c/registry-pool.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>

/* When the image was made; -1 where it does not say so. */
static int read_time(struct transport *from, const struct copy_request *request, int64_t *made,
		     struct error *err)
{
	json_auto_t *platform = platform_wanted(&request->choice.platform, err);
	cleanup_manifest struct manifest manifest = { 0 };
	cleanup_image struct image image = { 0 };

	if (!platform || from->class->get_manifest(from, NULL, &manifest, err) < 0 ||
	    plan_choose(from, &manifest, platform, err) < 0 ||
	    image_read(from, &manifest, &image, err) < 0)
		return -1;
	*made = age_of_time(json_text(image.config, "created", ""));
	return 0;
}

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
	    read_time(&from, request, &made, err) < 0)
		return -1;
	return made >= oldest;
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
