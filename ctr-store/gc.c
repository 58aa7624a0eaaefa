/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/hold.h"
#include "ctr-store/overlay.h"
#include "ctr-store/sweep.h"
#include "ctr-store/trash.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/lock.h"
#include "lib/output.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <stddef.h>
#include <unistd.h>

struct settings {
	bool dry_run;
};

static const struct cli_option options[] = {
	{ "dry-run", 'n', NULL, OPTION_FLAG, offsetof(struct settings, dry_run),
	  "remove nothing, only print what would be removed" },
	{ 0 },
};

/* Lock files that nobody holds: whoever needs one makes it again. */
static void remove_locks(const struct store *store)
{
	cleanup_strings struct strings names = { 0 };

	directory_names(store->locks_fd, ".", &names);
	for (size_t i = 0; i < names.count; i++) {
		struct error ignored;
		cleanup_fd int lock = lock_open(store->locks_fd, names.items[i], LOCK_EXCLUSIVE,
						false, names.items[i], &ignored);

		if (lock >= 0)
			unlinkat(store->locks_fd, names.items[i], 0);
	}
}

static int gc_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	struct sweep sweep = { .store = &store, .dry_run = settings->dry_run };
	cleanup_trash struct trash trash = { .store = &store };

	if (store_open_images(cli, NULL, &store, err) < 0)
		return -1;
	cleanup_fd int gate = staging_gate(&store, LOCK_EXCLUSIVE, err);
	sweep.trash = &trash;
	if (gate < 0 || sweep_run(&sweep, err) < 0)
		return -1;
	if (!settings->dry_run) {
		overlay_collect(&store);
		remove_locks(&store);
	}
	close(steal_fd(&gate));
	trash_empty(&trash);
	size_t holds = hold_collect(&store, settings->dry_run);

	json_auto_t *result = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "blobs", (json_int_t)sweep.blobs, "layers",
		(json_int_t)sweep.layers, "staging", (json_int_t)sweep.staging, "containers",
		(json_int_t)sweep.containers, "mounts", (json_int_t)sweep.records, "holds",
		(json_int_t)holds, "bytes", (json_int_t)sweep.bytes);
	return output_object(cli, result, err);
}

const struct cli_command command_gc = {
	.name = "gc",
	.operands = "",
	.summary = "remove unreferenced blobs, layers and leftovers",
	.details = "Removes unused blobs and layers, unfinished work of killed processes, and\n"
		   "records of mounts that are gone, with their holds on podman's images.\n"
		   "Prints how much was removed.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = gc_verb,
};
