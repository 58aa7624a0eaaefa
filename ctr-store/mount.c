/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/attach.h"
#include "ctr-store/backend.h"
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/layer_secure.h"
#include "ctr-store/mount_storage.h"
#include "ctr-store/record.h"
#include "ctr-store/target.h"
#include "ctr-store/unmount.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

struct settings {
	const char *upper;
	struct strings additional;
	bool rw, only_container, only_image;
};

static const struct cli_option options[] = {
	{ "rw", 0, NULL, OPTION_FLAG, offsetof(struct settings, rw),
	  "writable; changes are discarded by umount" },
	{ "upper", 0, "CONTAINER", OPTION_STRING, offsetof(struct settings, upper),
	  "writable; changes are kept in this container, created if missing" },
	{ "container", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_container),
	  "the operand is a container" },
	{ "image", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_image),
	  "the operand is an image" },
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also use images and layers of the read-only store in DIR" },
	{ 0 },
};

/* ---- images ---- */

static json_t *mount_image(const struct store *store, const struct image *image,
			   const char *directory, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	cleanup_fd int gate = layer_secure(store, image, NULL, &layers, err);
	json_auto_t *ids = json_array();

	if (gate < 0)
		return NULL;
	for (size_t i = 0; i < layers.count; i++)
		json_array_append_new(ids, json_string(layers.items[i]));

	const struct attach attach = {
		.target = directory,
		.layers = ids,
		.image = image_label(image),
		.image_id = image->id,
		.digest = image->digest,
		/* to look at what nobody vouches for must not be a danger */
		.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	return attach_overlay(store, &attach, err);
}

/* A writable mount of an image is a container: a named one, or one that goes with its mount. */
static json_t *mount_writable(const struct store *store, const struct settings *settings,
			      const struct image *image, const char *directory, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	json_auto_t *document = json_pack("{s:O}", "image", image->json);
	cleanup_fd int gate = layer_secure(store, image, NULL, &layers, err);

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

static json_t *mount_container(const struct store *store, const json_t *found,
			       const char *directory, struct error *err)
{
	cleanup_fd int lock = -1;
	const char *id = json_text(found, "id", "");
	json_auto_t *container = container_lock(store, id, &lock, err);

	if (!container)
		return NULL;
	if (backend_is_copy(container)) {
		error_set(err, directory ? ERROR_UNSUPPORTED : ERROR_EXISTS,
			  "container %s needs no mount: it is a copy, at %s/containers/%s/rootfs",
			  container_label(container), store->root, id);
		return NULL;
	}
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	json_auto_t *records = gate < 0 ? NULL : record_list_container(store, id, err);

	if (!records)
		return NULL;
	if (json_array_size(records) == 0)
		return container_mount(store, container, directory, err);
	cleanup_free char *rootfs = xasprintf("%s/containers/%s/rootfs", store->root, id);
	json_auto_t *there = record_select(records, "target", rootfs);
	if (!directory && json_array_size(there) > 0) {
		error_set(err, ERROR_EXISTS, "container %s is mounted already, at %s",
			  container_label(container), rootfs);
		return NULL;
	}
	return attach_again(store, json_array_get(records, 0), directory ? directory : rootfs, err);
}

/* --upper NAME where NAME exists: it must have been made from the same image. */
static json_t *mount_upper(const struct store *store, const struct settings *settings,
			   const struct image *image, const char *directory, struct error *err)
{
	/* not one whose id only begins so */
	json_auto_t *container = container_find_whole(store, settings->upper, err);
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

static json_t *mount_foreign(const struct store *store, const struct settings *settings,
			     const char *name, const char *directory, struct error *err)
{
	if (!settings->rw && !settings->upper && !settings->only_container)
		return mount_storage(store, name, directory, err);
	error_set(err, ERROR_USAGE, "%s: an image of another store is mounted read-only", name);
	error_hint(err, "skopeo-c copy brings it into this one");
	return NULL;
}

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

/* Print the record. Where it cannot be printed nobody knows of the mount: it goes. Nothing is
 * locked: the reader may take his time. */
static int deliver(const struct cli *cli, const struct store *store, const json_t *record,
		   struct error *err)
{
	struct error ignored;

	signal(SIGPIPE, SIG_IGN);
	if (output_object(cli, record, err) == 0)
		return 0;
	unmount(store, record, true, &ignored);
	return err->os == EPIPE ? 128 + SIGPIPE : -1;
}

/* Both are absolute and without symbolic links. */
static bool is_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strcmp(directory, "/") == 0 || (strncmp(path, directory, length) == 0 &&
					       (path[length] == '/' || path[length] == '\0'));
}

/* What is mounted over the store, or over the records of mounts, hides what undoes it. */
static int check_directory(const struct store *store, const char *directory, struct error *err)
{
	if (!is_in(store->root, directory) && !is_in(store->runroot, directory))
		return 0;
	error_set(err, ERROR_USAGE, "the store could not be reached any more with %s mounted over",
		  directory);
	return error_subject(err, directory);
}

static int mount_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	const char *name = cli->operands[0], *operand = cli->operands[1];
	cleanup_store struct store store = { 0 };
	cleanup_target struct target target = { 0 };
	cleanup_free char *directory = operand ? realpath(operand, NULL) : NULL;

	if (operand && !directory)
		return error_os(err, "%s", operand);
	if (store_open_images(cli, &settings->additional, &store, err) < 0 ||
	    (directory && check_directory(&store, directory, err) < 0))
		return -1;
	if (mount_storage_means(name)) {
		json_auto_t *record = mount_foreign(&store, settings, name, directory, err);

		return record ? deliver(cli, &store, record, err) : -1;
	}
	if (target_find(&store, name, settings->only_container,
			settings->only_image || settings->upper || settings->rw, &target, err) < 0)
		return -1;
	json_auto_t *record = mount_target(&store, settings, &target, directory, err);
	return record ? deliver(cli, &store, record, err) : -1;
}

const struct cli_command command_mount = {
	.name = "mount",
	.operands = "CONTAINER|IMAGE [DIR]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "mount an image or a container on a directory",
	.details =
		"Images are mounted read-only, nosuid and nodev; without DIR, on a new directory\n"
		"below the runroot. Containers are mounted on DIR, or on the rootfs directory of\n"
		"their bundle. containers-storage:NAME is an image in podman's store, which\n"
		"podman then keeps. Prints a record of the mount; its `target` is the directory.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = mount_verb,
};
