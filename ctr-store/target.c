/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/target.h"

#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "lib/path.h"

/* What is wrong with an image that is there is told as it is. */
static int no_target(const struct store *store, struct image_source *images, const char *name,
		     struct error *err)
{
	if (err->kind != ERROR_NOT_FOUND || !path_is_id(name) ||
	    image_source_has(store, images, name))
		return -1;
	error_set(err, ERROR_NOT_FOUND, "no container or image \"%s\"", name);
	return error_subject(err, name);
}

int target_find(const struct store *store, const char *name, bool only_container, bool only_image,
		struct target *target, struct error *err)
{
	cleanup_target struct target found = { 0 };
	cleanup_image_source struct image_source images = { .index = NULL };

	if (only_container && only_image)
		return error_set(err, ERROR_USAGE, "--container and --image exclude each other");
	if (!only_image) {
		found.container = container_find(store, name, err);
		if (!found.container && (only_container || err->kind != ERROR_NOT_FOUND))
			return -1;
	}
	only_container |= found.container && container_has_id(found.container, name);
	if (!only_container && image_source_find(store, &images, name, &found.image, err) < 0 &&
	    (!found.container || err->kind != ERROR_NOT_FOUND))
		return only_image ? -1 : no_target(store, &images, name, err);
	if (found.container && found.image.json) {
		error_set(err, ERROR_USAGE, "\"%s\" means a container and an image", name);
		return error_hint(err, "say which with --container or --image");
	}
	*target = found;
	found = (struct target){ 0 };
	return 0;
}

void target_free(struct target *target)
{
	json_decref(target->container);
	image_free(&target->image);
	*target = (struct target){ 0 };
}
