/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/layer_secure.h"

#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/unpacker.h"
#include "lib/cleanup.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A layer that stands twice in an image: overlayfs refuses to stack a directory twice, and the
 * upper one alone decides (it repeats every entry and whiteout of the lower one). */
static void drop_repeated(struct strings *ids)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->count; i++) {
		size_t later = i + 1;

		while (later < ids->count && strcmp(ids->items[i], ids->items[later]) != 0)
			later++;
		if (later < ids->count)
			free(ids->items[i]);
		else
			ids->items[kept++] = ids->items[i];
	}
	ids->count = kept;
	if (ids->items)
		ids->items[kept] = NULL;
}

/* 1 with all ids, 0 when a layer is not unpacked. */
static int find_all(const struct store *store, const struct image *image, struct strings *ids,
		    struct error *err)
{
	cleanup_strings struct strings found = { 0 };

	for (size_t i = 0; i < image->layer_count; i++) {
		cleanup_free char *id = NULL;
		int status = layer_find(store, &image->layers[i], &id, err);

		if (status <= 0)
			return status;
		strings_add(&found, id);
	}
	drop_repeated(&found);
	*ids = found;
	found = (struct strings){ 0 };
	return 1;
}

int layer_secure(const struct store *store, const struct image *image, const enum backend *backend,
		 struct strings *ids, struct error *err)
{
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	int found = gate < 0 ? -1 : find_all(store, image, ids, err);

	if (found != 0)
		return found < 0 ? -1 : steal_fd(&gate);
	close(steal_fd(&gate));

	/* what it refers to stays until the gate is held again */
	cleanup_unpacker struct unpacker *unpacker = unpacker_new(store, err);
	if (!unpacker)
		return -1;
	unpacker_add_image(unpacker, image);
	if (backend)
		unpacker_set_backend(unpacker, *backend);
	unpacker_all_blobs(unpacker);
	if (unpacker_finish(unpacker, err) < 0)
		return -1;
	gate = staging_gate(store, LOCK_SHARED, err);
	found = gate < 0 ? -1 : find_all(store, image, ids, err);
	if (found == 0)
		return error_set(err, ERROR_TEMPORARY, "a layer of image %s was removed meanwhile",
				 image_label(image));
	return found < 0 ? -1 : steal_fd(&gate);
}
