/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/image.h"
#include "ctr-store/mount_storage.h"
#include "ctr-store/mountinfo.h"
#include "ctr-store/record.h"
#include "ctr-store/unmount.h"
#include "lib/cleanup.h"
#include "lib/failures.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct settings {
	struct strings additional;
	bool all, force, lazy;
};

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct settings, all),
	  "unmount everything; what is in use stays and is an error" },
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct settings, force),
	  "do not fail if it is not mounted" },
	{ "lazy", 'l', NULL, OPTION_FLAG, offsetof(struct settings, lazy),
	  "detach now, even if in use; it ends with its last user" },
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also accept images of the store in DIR" },
	{ 0 },
};

struct search {
	const struct settings *settings;
	struct store store;
	struct image_source images;
};

static void search_free(struct search *search)
{
	image_source_free(&search->images);
	store_close(&search->store);
}

/* The topmost mount of ours on a directory, as a list of one. */
static json_t *find_directory(const json_t *records, const char *path, struct error *err)
{
	json_auto_t *on = record_select(records, "target", path);
	cleanup_mount_table struct mount_table table = { 0 };

	if (json_array_size(on) < 2)
		return json_incref(on);
	if (mount_table_read(0, &table, err) < 0)
		return NULL;
	const char *top = mount_table_on(&table, path);
	return record_select(on, "source", top ? top : "");
}

/* The same, where only all records can tell. In the directory of a container there are none but its
 * own. */
static json_t *search_directory(const struct store *store, const char *path, struct error *err)
{
	cleanup_free char *top = xasprintf("%s/containers/", store->root);
	const char *inside = strncmp(path, top, strlen(top)) == 0 ? path + strlen(top) : NULL;
	cleanup_free char *id = inside ? xstrndup(inside, strcspn(inside, "/")) : NULL;
	json_auto_t *records =
		id ? record_list_container(store, id, err) : record_list(store, false, NULL, err);

	return records ? find_directory(records, path, err) : NULL;
}

/* Only for the name of an image other stores are looked at: one whose disk is away must not keep
 * the rest from being unmounted. */
static json_t *find_image(struct search *search, const char *name, struct error *err)
{
	struct store *store = &search->store;
	cleanup_image struct image image = { 0 };

	if ((store->additional.count == 0 &&
	     store_additional(store->root, &search->settings->additional, &store->additional,
			      &store->lost, err) < 0) ||
	    image_source_find(store, &search->images, name, &image, err) < 0)
		return NULL;
	return record_list_image(store, image.id, err);
}

/* All mounts of the container or the image with that name. */
static json_t *find_name(struct search *search, const char *name, struct error *err)
{
	const struct store *store = &search->store;

	if (mount_storage_means(name)) {
		json_auto_t *records = record_list(store, false, NULL, err);

		return records ? record_select(records, "image", name) : NULL;
	}
	json_auto_t *container = container_find(store, name, err);
	if (container)
		return record_list_container(store, json_text(container, "id", ""), err);
	json_t *records = err->kind == ERROR_NOT_FOUND ? find_image(search, name, err) : NULL;
	return records || err->kind != ERROR_NOT_FOUND ? records : json_array();
}

/* All mounts that the operand may mean: a directory before a name. */
static json_t *find_all(struct search *search, const char *operand, struct error *err)
{
	const struct store *store = &search->store;
	cleanup_free char *directory = realpath(operand, NULL);
	json_auto_t *on = directory ? record_find_on(store, directory) : NULL;

	if (on)
		return json_pack("[O]", on);
	/* what is mounted may have lost its directory, or be out of reach */
	const char *path = directory || operand[0] != '/' ? directory : operand;
	json_auto_t *list = path ? search_directory(store, path, err) : json_array();
	if (!list)
		return NULL;
	return json_array_size(list) > 0 ? json_incref(list) : find_name(search, operand, err);
}

/* The one mount that the operand means; borrowed from *found, which the caller owns. */
static const json_t *find_mount(struct search *search, const char *operand, json_t **found,
				struct error *err)
{
	json_t *list = find_all(search, operand, err);

	*found = list;
	if (!list)
		return NULL;
	if (json_array_size(list) == 0) {
		error_set(err, ERROR_NOT_FOUND, "\"%s\" is not mounted", operand);
		error_subject(err, operand);
		error_hint(err, "see ctr-store mounts");
		return NULL;
	}
	if (json_array_size(list) > 1) {
		error_set(err, ERROR_USAGE, "\"%s\" is mounted at %s and at %s", operand,
			  json_text(json_array_get(list, 0), "target", "?"),
			  json_text(json_array_get(list, 1), "target", "?"));
		error_hint(err, "name the directory");
		return NULL;
	}
	return json_array_get(list, 0);
}

static int umount_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	__attribute__((cleanup(search_free))) struct search search = { .settings = settings };
	const struct store *store = &search.store;

	if (settings->all ? cli->operand_count > 0 : cli->operand_count == 0)
		return cli_usage(cli, err, "give either --all or what to unmount");
	if (store_open(cli, &search.store, err) < 0)
		return -1;
	if (settings->all) {
		json_auto_t *records = record_list(store, false, NULL, err);

		return records ? unmount_all(store, records, settings->lazy, err) : -1;
	}
	struct failures failures = { .cli = cli };
	for (int i = 0; i < cli->operand_count && failures_go_on(&failures); i++) {
		json_auto_t *found = NULL;
		const json_t *record = find_mount(&search, cli->operands[i], &found, err);
		int status = record ? unmount(store, record, settings->lazy, err) : -1;

		if (status < 0 && !(settings->force && err->kind == ERROR_NOT_FOUND))
			failures_add(&failures, err);
	}
	return failures_end(&failures, err);
}

const struct cli_command command_umount = {
	.name = "umount",
	.operands = "[DIR|CONTAINER|IMAGE...]",
	.operands_max = -1,
	.summary = "undo mount, or the mount made by create",
	.details =
		"Each operand is a directory, or a container or an image that is mounted exactly\n"
		"once.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = umount_verb,
};
