/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/layer_list.h"
#include "ctr-store/sweep.h"
#include "ctr-store/usage.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What there is of a kind. */
struct part {
	size_t count;
	struct usage usage;
};

struct totals {
	struct part images, layers, containers, unfinished;
};

static int measure_layers(const struct store *store, struct part *part, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (layer_list_ids(store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++)
		if (usage_add_layer(store, ids.items[i], &part->usage, err) < 0)
			return -1;
	part->count = ids.count;
	return 0;
}

static int measure(const struct store *store, struct totals *totals, struct error *err)
{
	json_auto_t *rows = catalog_rows(store, err);
	json_auto_t *containers = rows ? container_list(store, err) : NULL;

	if (!containers)
		return -1;
	totals->images.count = json_array_size(rows);
	totals->containers.count = json_array_size(containers);
	if (usage_add_tree(store->images_fd, ".", &totals->images.usage, err) < 0 ||
	    measure_layers(store, &totals->layers, err) < 0 ||
	    usage_add_tree(store->containers_fd, ".", &totals->containers.usage, err) < 0)
		return -1;
	return usage_add_tree(store->tmp_fd, ".", &totals->unfinished.usage, err);
}

/* What gc would take, by the rules of gc; only what is unfinished as long as an additional store is
 * away, since nobody can tell what its images need. */
static int find_reclaimable(const struct store *store, struct sweep *sweep, struct error *err)
{
	json_auto_t *references = json_array();
	/* shared: it only counts, and need not wait for verbs that make something */
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);

	*sweep = (struct sweep){ .store = store, .dry_run = true };
	if (gate < 0)
		return -1;
	if (!store_is_complete(store))
		return staging_collect(store, NULL, references, &sweep->staging, err) < 0 ? -1 : 0;
	return sweep_run(sweep, err);
}

/* NULL where it is not known. */
static json_t *describe_reclaimable(const struct sweep *sweep)
{
	if (!store_is_complete(sweep->store))
		return NULL;
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "blobs", (json_int_t)sweep->blobs, "layers",
			 (json_int_t)sweep->layers, "staging", (json_int_t)sweep->staging,
			 "containers", (json_int_t)sweep->containers, "bytes",
			 (json_int_t)sweep->bytes);
}

static json_t *describe_part(const struct part *part)
{
	return json_pack("{s:I, s:I, s:I}", "count", (json_int_t)part->count, "usedBytes",
			 (json_int_t)part->usage.bytes, "inodesUsed",
			 (json_int_t)part->usage.inodes);
}

/* Up from the directory to where its mount begins. The caller frees it. */
static char *find_mountpoint(const char *directory, struct error *err)
{
	cleanup_free char *path = xstrdup(directory);
	struct statx here, above;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &here) < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	while (path[1]) {
		cleanup_free char *parent = xstrdup(path);
		char *slash = strrchr(parent, '/');

		slash[slash == parent ? 1 : 0] = '\0';
		/* before Linux 5.8 there is no mount id, but then the device tells */
		if (statx(AT_FDCWD, parent, 0, STATX_MNT_ID, &above) < 0 ||
		    above.stx_mnt_id != here.stx_mnt_id ||
		    above.stx_dev_major != here.stx_dev_major ||
		    above.stx_dev_minor != here.stx_dev_minor)
			break;
		free(path);
		path = steal_ptr(&parent);
	}
	return steal_ptr(&path);
}

/* The file system that a directory of the store is on, and what the store takes of it. */
static json_t *describe_filesystem(const struct store *store, const char *name,
				   const struct usage *usage, struct error *err)
{
	struct statvfs fs;
	cleanup_free char *path = xasprintf("%s/%s", store->root, name);
	cleanup_free char *mountpoint = find_mountpoint(path, err);

	if (!mountpoint)
		return NULL;
	if (statvfs(path, &fs) < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "mountpoint", mountpoint,
			 "usedBytes", (json_int_t)usage->bytes, "inodesUsed",
			 (json_int_t)usage->inodes, "totalBytes",
			 (json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize, "availableBytes",
			 (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize, "totalInodes",
			 (json_int_t)fs.f_files, "availableInodes", (json_int_t)fs.f_favail);
}

static int df_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	struct totals totals = { 0 };
	struct sweep sweep;

	if (store_open_images(cli, NULL, &store, err) < 0 || measure(&store, &totals, err) < 0 ||
	    find_reclaimable(&store, &sweep, err) < 0)
		return -1;

	struct usage for_images = totals.images.usage;
	usage_add(&for_images, &totals.layers.usage);
	usage_add(&for_images, &totals.unfinished.usage);
	struct usage all = for_images;
	usage_add(&all, &totals.containers.usage);
	usage_warn(&all);
	json_auto_t *images = describe_filesystem(&store, "layers", &for_images, err);
	json_auto_t *containers =
		images ? describe_filesystem(&store, "containers", &totals.containers.usage, err)
		       : NULL;
	if (!containers)
		return -1;
	totals.unfinished.count = sweep.staging;
	json_auto_t *result = json_pack(
		"{s:I, s:o, s:o, s:o, s:o, s:o*, s:O, s:O}", "timestamp", clock_wall_ns(), "images",
		describe_part(&totals.images), "layers", describe_part(&totals.layers),
		"containers", describe_part(&totals.containers), "unfinished",
		describe_part(&totals.unfinished), "reclaimable", describe_reclaimable(&sweep),
		"imageFilesystem", images, "containerFilesystem", containers);
	if (!result)
		return error_set(err, ERROR_UNSUPPORTED, "the store's path %s is not UTF-8",
				 store.root);
	return output_object(cli, result, err);
}

const struct cli_command command_df = {
	.name = "df",
	.operands = "",
	.summary = "show disk usage of images, layers and containers",
	.details =
		"Also shows what gc would free. The size of a layer is measured once and cached.",
	.run = df_verb,
};
