/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/container_images.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "ocid-dispatch/images.h"
#include "ocid-dispatch/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0711 };

static char *directory_of(const struct records *records, const struct named *named)
{
	return xasprintf("%s/pods/%s/images/%s", records->store.runroot, named->pod, named->id);
}

/* An image that is there and cannot be mounted is a failure with a name (cri-api, pkg/errors). */
static int mount_image(const struct rpc_context *context, const char *id, const char *directory,
		       struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };

	pipeline_add(&pipeline, "ctr-store", "mount", "--image", "--", id, directory, NULL);
	if (path_make_dirs(directory, DIRECTORY_MODE, err) == 0 &&
	    pipeline_run(&pipeline, context, err) == 0)
		return 0;
	error_prefix(err, "a volume of the container");
	if (cli_interrupted())
		return -1;
	err->kind = ERROR_FAILED;
	return error_prefix(err, "ImageVolumeMountFailed");
}

/* Returns the image as images_digested() has it, which the caller frees. */
static char *mount_one(const struct rpc_context *context, const char *name, const char *directory,
		       struct error *err)
{
	json_auto_t *row = NULL;

	if (images_find(context, name, &row, err) < 0)
		return NULL;
	if (!row) {
		images_missing(name, err);
		error_prefix(err, "a volume of the container");
		return NULL;
	}
	return mount_image(context, json_text(row, "id", ""), directory, err) < 0
		       ? NULL
		       : xstrdup(images_digested(row));
}

int container_images_mount(const struct rpc_context *context, const struct records *records,
			   const struct named *named, json_t *config, json_t *images,
			   struct error *err)
{
	cleanup_free char *directory = directory_of(records, named);
	json_auto_t *digested = json_object(); /* by name, as images */
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		json_t *image = json_object_get(mount, "image");
		const char *name = json_text(image, "image", "");
		cleanup_free char *target = xasprintf("%s/%zu", directory, i);

		if (!*name)
			continue;
		if (!json_object_get(images, name)) {
			cleanup_free char *reference = mount_one(context, name, target, err);

			if (!reference)
				return -1;
			json_object_set_new(images, name, json_string(target));
			json_object_set_new(digested, name, json_string(reference));
		}
		json_object_set(image, "imageRef", json_object_get(digested, name));
	}
	return 0;
}

int container_images_unmount(const struct rpc_context *context, const struct records *records,
			     const struct named *named, struct error *err)
{
	cleanup_free char *directory = directory_of(records, named);
	cleanup_pipeline struct pipeline pipeline = { 0 };
	cleanup_strings struct strings numbers = { 0 };

	if (access(directory, F_OK) < 0)
		return 0;
	if (records_ids(AT_FDCWD, directory, "", &numbers, err) < 0)
		return -1;
	struct strings *words =
		pipeline_add(&pipeline, "ctr-store", "umount", "--force", "--lazy", "--", NULL);
	for (size_t i = 0; i < numbers.count; i++)
		strings_addf(words, "%s/%s", directory, numbers.items[i]);
	if (numbers.count > 0 && pipeline_run(&pipeline, context, err) < 0)
		return -1;

	cleanup_free char *parent =
		xasprintf("%s/pods/%s/images", records->store.runroot, named->pod);
	cleanup_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", parent) : path_remove_tree(fd, named->id, err);
}
