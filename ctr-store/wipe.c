/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/hold.h"
#include "ctr-store/image.h"
#include "ctr-store/record.h"
#include "ctr-store/remove_container.h"
#include "ctr-store/running.h"
#include "ctr-store/sweep.h"
#include "ctr-store/trash.h"
#include "ctr-store/unmount.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/output.h"
#include "lib/partial.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <stddef.h>

struct settings {
	bool force;
};

static const struct cli_option options[] = {
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct settings, force),
	  "also remove what is mounted, even if in use" },
	{ 0 },
};

/* Before anything is removed: nothing runs, and without `force` nothing is mounted. */
static int check_unused(const struct store *store, bool force, const json_t *containers,
			const json_t *records, struct error *err)
{
	json_auto_t *mounts = record_by_container(records);
	const json_t *container;
	size_t i;

	json_array_foreach (containers, i, container) {
		const json_t *own = json_object_get(mounts, json_text(container, "id", ""));

		if (running_refuse(store, container, own, err) < 0)
			return -1;
	}
	if (force || json_array_size(records) == 0)
		return 0;
	error_set(err, ERROR_IN_USE, "%s is mounted at %s",
		  json_text(json_array_get(records, 0), "image", "an image"),
		  json_text(json_array_get(records, 0), "target", "?"));
	return error_hint(err, "see ctr-store mounts; --force unmounts all");
}

static int remove_containers(const struct store *store, bool force, const json_t *containers,
			     struct error *err)
{
	const json_t *container;
	size_t i;

	json_array_foreach (containers, i, container) {
		if (remove_container(store, json_text(container, "id", ""), force, err) < 0)
			return -1;
	}
	return 0;
}

static bool matches_all(const json_t *entry, void *context)
{
	(void)entry;
	(void)context;
	return true;
}

/* All names go, and then what gc would remove: everything but what others made meanwhile. */
static int remove_images(const struct store *store, struct sweep *sweep, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	cleanup_trash struct trash trash = { .store = store };

	if (image_layout(store, &layout, err) < 0)
		return -1;
	cleanup_fd int gate = staging_gate(store, LOCK_EXCLUSIVE, err);
	if (gate < 0 || layout_untag(&layout, matches_all, NULL, NULL, err) < 0)
		return -1;
	*sweep = (struct sweep){ .store = store, .trash = &trash };
	return sweep_run(sweep, err);
}

/* Downloads that are kept to be gone on with, too. */
static void remove_downloads(const struct store *store)
{
	cleanup_strings struct strings names = { 0 };

	directory_names(store->tmp_fd, ".", &names);
	for (size_t i = 0; i < names.count; i++)
		if (partial_is_name(names.items[i]))
			partial_expire(store->tmp_fd, names.items[i], 0, false);
}

static int wipe_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	struct sweep sweep;

	if (store_open(cli, &store, err) < 0)
		return -1;
	json_auto_t *records = record_list(&store, false, NULL, err);
	json_auto_t *containers = records ? container_list(&store, err) : NULL;
	if (!containers || check_unused(&store, settings->force, containers, records, err) < 0 ||
	    unmount_all(&store, records, true, err) < 0 ||
	    remove_containers(&store, settings->force, containers, err) < 0 ||
	    remove_images(&store, &sweep, err) < 0)
		return -1;

	remove_downloads(&store);
	hold_collect(&store, false);
	size_t removed = json_array_size(containers) + sweep.containers;
	json_auto_t *result =
		json_pack("{s:I, s:I, s:I}", "containers", (json_int_t)removed, "layers",
			  (json_int_t)sweep.layers, "blobs", (json_int_t)sweep.blobs);
	return output_object(cli, result, err);
}

const struct cli_command command_wipe = {
	.name = "wipe",
	.operands = "",
	.summary = "remove all containers and images",
	.details = "Removes nothing while a container is running or something is mounted.\n"
		   "Prints how much was removed.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = wipe_verb,
};
