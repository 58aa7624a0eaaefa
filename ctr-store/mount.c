/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/attach.h"
#include "ctr-store/backend.h"
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/layer.h"
#include "ctr-store/record.h"
#include "ctr-store/target.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

struct settings {
	const char *upper;
	bool rw, only_container, only_image;
};

static const struct cli_option options[] = {
	{ "rw", 0, NULL, OPTION_FLAG, offsetof(struct settings, rw),
	  "writable; what is written goes when it is unmounted" },
	{ "upper", 0, "NAME", OPTION_STRING, offsetof(struct settings, upper),
	  "writable; what is written stays, in the container NAME" },
	{ "container", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_container),
	  "NAME is a container" },
	{ "image", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_image),
	  "NAME is an image" },
	{ 0 },
};

/* ---- images ---- */

/* RUNROOT/mnt/<random>, for a mount whose place the user leaves to us. */
static char *make_target(const struct store *store, struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	cleanup_free char *top = xasprintf("%s/mnt", store->runroot);
	cleanup_free char *path = xasprintf("%s/%s", top, unique);
	if (path_make_dirs(top, 0711, err) < 0)
		return NULL;
	return path_make_dirs(path, 0755, err) < 0 ? NULL : steal_ptr(&path);
}

static json_t *mount_image(const struct store *store, const struct image *image,
			   const char *directory, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	cleanup_fd int gate = layer_secure(store, image, &layers, err);
	cleanup_free char *made = gate < 0 || directory ? NULL : make_target(store, err);
	json_auto_t *ids = json_array();

	if (gate < 0 || (!directory && !made))
		return NULL;
	for (size_t i = 0; i < layers.count; i++)
		json_array_append_new(ids, json_string(layers.items[i]));

	const struct attach attach = {
		.target = made ? made : directory,
		.made_target = made != NULL,
		.layers = ids,
		.image = image_label(image),
		.image_id = image->id,
		.digest = image->digest,
		/* to look at what nobody vouches for must not be a danger */
		.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	json_t *record = attach_overlay(store, &attach, err);
	if (!record && made)
		rmdir(made);
	return record;
}

/* A writable mount of an image is a container: a named one, or one that goes with its mount. */
static json_t *mount_writable(const struct store *store, const struct settings *settings,
			      const struct image *image, const char *directory, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	json_auto_t *document = json_pack("{s:O}", "image", image->json);
	cleanup_fd int gate = layer_secure(store, image, &layers, err);

	if (gate < 0)
		return NULL;
	const struct container_plan plan = { .name = settings->upper,
					     .image = image,
					     .layers = &layers,
					     .document = document,
					     .throwaway = settings->upper == NULL };
	cleanup_fd int lock = -1;
	json_auto_t *container = container_make(store, &plan, &lock, err);
	if (!container)
		return NULL;
	json_t *record = container_mount(store, container, directory, err);
	if (!record)
		container_undo(store, container);
	return record;
}

/* ---- containers ---- */

static json_t *mount_container(const struct store *store, const json_t *container,
			       const char *directory, struct error *err)
{
	if (backend_is_copy(container)) {
		error_set(err, directory ? ERROR_UNSUPPORTED : ERROR_EXISTS,
			  "container %s needs no mount: it is a copy, at %s/containers/%s/rootfs",
			  container_label(container), store->root, json_text(container, "id", ""));
		return NULL;
	}
	cleanup_fd int lock = container_lock(store, container, err);
	cleanup_fd int gate = lock < 0 ? -1 : staging_gate(store, LOCK_SHARED, err);
	json_auto_t *records =
		gate < 0 ? NULL : record_list_container(store, json_text(container, "id", ""), err);

	if (!records)
		return NULL;
	const json_t *first = json_array_get(records, 0);
	if (first && directory)
		return attach_again(store, first, directory, err);
	if (first) {
		error_set(err, ERROR_EXISTS, "container %s is mounted already, at %s",
			  container_label(container),
			  json_string_value(json_object_get(first, "target")));
		return NULL;
	}
	return container_mount(store, container, directory, err);
}

/* --upper NAME where NAME exists: it must have been made from the same image. */
static json_t *mount_upper(const struct store *store, const struct settings *settings,
			   const struct image *image, const char *directory, struct error *err)
{
	json_auto_t *container = container_find(store, settings->upper, err);
	const char *id;

	if (!container)
		return err->kind == ERROR_NOT_FOUND
			       ? mount_writable(store, settings, image, directory, err)
			       : NULL;
	id = json_string_value(json_object_get(json_object_get(container, "image"), "id"));
	if (!id || strcmp(id, image->id) != 0) {
		error_set(err, ERROR_EXISTS, "container \"%s\" is not of image %s", settings->upper,
			  image_label(image));
		return NULL;
	}
	return mount_container(store, container, directory, err);
}

/* ---- the verb ---- */

static json_t *mount_target(const struct store *store, const struct settings *settings,
			    const struct target *target, const char *directory, struct error *err)
{
	if (target->container && (settings->rw || settings->upper)) {
		error_set(err, ERROR_USAGE,
			  "a container is writable by itself: no --rw or --upper");
		return NULL;
	}
	if (target->container)
		return mount_container(store, target->container, directory, err);
	if (settings->upper)
		return mount_upper(store, settings, &target->image, directory, err);
	if (settings->rw)
		return mount_writable(store, settings, &target->image, directory, err);
	return mount_image(store, &target->image, directory, err);
}

static int mount_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	const char *operand = cli->operands[1];
	cleanup_store struct store store = { 0 };
	cleanup_target struct target target = { 0 };
	cleanup_free char *directory = operand ? realpath(operand, NULL) : NULL;

	if (operand && !directory)
		return error_os(err, "%s", operand);
	if (store_open(cli, &store, err) < 0 ||
	    target_find(&store, cli->operands[0], settings->only_container,
			settings->only_image || settings->upper || settings->rw, &target, err) < 0)
		return -1;
	json_auto_t *record = mount_target(&store, settings, &target, directory, err);
	return record ? output_object(cli, record, err) : -1;
}

const struct cli_command command_mount = {
	.name = "mount",
	.operands = "NAME [DIR]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "mount an image or a container on a directory",
	.details = "An image is mounted read-only, nosuid and nodev; without DIR on a new\n"
		   "directory below the runroot. A container is mounted on DIR, or on the\n"
		   "rootfs directory of its bundle. Prints the record of the mount; its\n"
		   "`target` is the directory.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = mount_verb,
};
