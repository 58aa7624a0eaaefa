/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/record.h"
#include "ctr-store/running.h"
#include "ctr-store/usage.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/store.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct settings {
	bool size;
};

static const struct cli_option options[] = {
	{ "size", 's', NULL, OPTION_FLAG, offsetof(struct settings, size), "also show disk usage" },
	{ 0 },
};

static const struct output_column columns[] = {
	{ "CONTAINER", "id", COLUMN_TEXT },
	{ "NAME", "name", COLUMN_TEXT },
	{ "IMAGE", "image", COLUMN_TEXT },
	{ "RUNNING", "running", COLUMN_TEXT },
	{ "MOUNTS", "mounts", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT },
	{ 0 },
};

static const struct output_column columns_size[] = {
	{ "CONTAINER", "id", COLUMN_TEXT },    { "NAME", "name", COLUMN_TEXT },
	{ "IMAGE", "image", COLUMN_TEXT },     { "RUNNING", "running", COLUMN_TEXT },
	{ "SIZE", "usedBytes", COLUMN_SIZE },  { "MOUNTS", "mounts", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT }, { 0 },
};

static json_t *list_targets(const json_t *records)
{
	json_t *targets = json_array();
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		json_array_append_new(targets, json_string(json_text(record, "target", "")));
	}
	return targets;
}

/* rootfs.json, with the image as mounts have it. */
static json_t *make_row(const struct store *store, const json_t *container, const json_t *records)
{
	const json_t *image = json_object_get(container, "image");
	const char *id = json_text(container, "id", "");
	json_t *row = json_copy((json_t *)container);
	bool running = running_is(store, id, records);

	json_object_set_new(row, "image",
			    json_string(json_text(image, "name", json_text(image, "id", ""))));
	json_object_set_new(row, "imageId", json_string(json_text(image, "id", "")));
	json_object_set_new(row, "digest", json_string(json_text(image, "digest", "")));
	json_object_set_new(row, "mounts", list_targets(records));
	json_object_set_new(row, "running", json_boolean(running));
	return row;
}

struct listing {
	const struct store *store;
	bool size;
	struct usage total;
	json_t *rows;
};

static int add_size(struct listing *listing, json_t *row, struct error *err)
{
	struct usage usage = { 0 };

	if (usage_add_tree(listing->store->containers_fd, json_text(row, "id", ""), &usage, err) <
	    0)
		return -1;
	usage_add(&listing->total, &usage);
	json_object_set_new(row, "usedBytes", json_integer(usage.bytes));
	json_object_set_new(row, "inodesUsed", json_integer(usage.inodes));
	return 0;
}

struct item {
	json_t *container;
};

/* The oldest first. */
static int compare(const void *a, const void *b)
{
	const json_t *one = ((const struct item *)a)->container;
	const json_t *other = ((const struct item *)b)->container;
	int order = strcmp(json_text(one, "created", ""), json_text(other, "created", ""));

	return order ? order : strcmp(json_text(one, "id", ""), json_text(other, "id", ""));
}

static json_t *sort(const json_t *list)
{
	size_t count = json_array_size(list);
	cleanup_free struct item *items = xcalloc(count, sizeof *items);
	json_t *sorted = json_array();

	for (size_t i = 0; i < count; i++)
		items[i].container = json_array_get(list, i);
	if (count)
		qsort(items, count, sizeof *items, compare);
	for (size_t i = 0; i < count; i++)
		json_array_append(sorted, items[i].container);
	return sorted;
}

static int add_row(struct listing *listing, const json_t *container, const json_t *records,
		   struct error *err)
{
	json_t *row = make_row(listing->store, container, records);

	json_array_append_new(listing->rows, row);
	return listing->size ? add_size(listing, row, err) : 0;
}

static int add_all(struct listing *listing, struct error *err)
{
	json_auto_t *records = record_list(listing->store, false, NULL, err);
	json_auto_t *list = records ? container_list(listing->store, err) : NULL;
	const json_t *container;
	size_t i;

	if (!list)
		return -1;
	json_auto_t *sorted = sort(list);
	json_auto_t *mounts = record_by_container(records);
	json_array_foreach (sorted, i, container) {
		const json_t *own = json_object_get(mounts, json_text(container, "id", ""));

		if (add_row(listing, container, own, err) < 0)
			return -1;
	}
	return 0;
}

static int add_named(struct listing *listing, const char *name, struct error *err)
{
	const struct store *store = listing->store;
	json_auto_t *container = container_find(store, name, err);
	json_auto_t *records =
		container ? record_list_container(store, json_text(container, "id", ""), err)
			  : NULL;

	return records ? add_row(listing, container, records, err) : -1;
}

static int containers_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	json_auto_t *rows = json_array();
	struct listing listing = { .store = &store, .size = settings->size, .rows = rows };

	if (store_open(cli, &store, err) < 0)
		return -1;
	for (int i = 0; i < cli->operand_count; i++)
		if (add_named(&listing, cli->operands[i], err) < 0)
			return -1;
	if (cli->operand_count == 0 && add_all(&listing, err) < 0)
		return -1;
	usage_warn(&listing.total);
	return output_list(cli, rows, settings->size ? columns_size : columns, err);
}

const struct cli_command command_containers = {
	.name = "containers",
	.operands = "[CONTAINER...]",
	.operands_max = -1,
	.lists = "CONTAINER",
	.summary = "list containers and where they are mounted",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = containers_verb,
};
