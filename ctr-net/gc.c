/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/attach.h"
#include "ctr-net/cni_chain.h"
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gc_settings {
	struct strings conf_dirs, plugin_dirs;
	long long timeout_s;
};

/* One run. What fails does not keep the rest from being removed. */
struct collection {
	struct store store;
	char *plugin_path; /* NULL: as it was for ADD */
	struct strings conf_dirs;
	struct attach_settings attach;
	json_t *rows;	      /* what was removed */
	struct error failure; /* the first one */
	bool failed;
};

static void collection_free(struct collection *collection)
{
	store_close(&collection->store);
	free(collection->plugin_path);
	strings_free(&collection->conf_dirs);
	json_decref(collection->rows);
}
#define cleanup_collection __attribute__((cleanup(collection_free)))

/* The first failure becomes the run's own, the others are told of. */
static void note_failure(struct collection *collection, const char *subject, struct error *failure)
{
	error_prefix(failure, "%s", subject);
	if (collection->failed)
		log_message(LOG_LEVEL_WARN, "%s", failure->message);
	else
		collection->failure = *failure;
	collection->failed = true;
}

/* Whether the container is gone as a whole: its directory is, the namespace that `add` made for it
 * is, or that `add` has never finished (it held the record's lock). */
static bool is_gone(const struct record *record)
{
	struct error ignored;

	if (record->bundle && access(record->bundle, F_OK) < 0 && errno == ENOENT)
		return true;
	return record->owns_netns && (!record->ready || pin_exists(record->store->runroot, PIN_NET,
								   record->id, &ignored) == 0);
}

static void remove_netns(struct collection *collection, struct record *record)
{
	struct error failure;
	cleanup_free char *path = ns_path(collection->store.runroot, record->id, &failure);
	int status = pin_remove(collection->store.runroot, PIN_NET, record->id, &failure);

	if (status < 0 && failure.kind != ERROR_NOT_FOUND) {
		note_failure(collection, record->id, &failure);
		return;
	}
	record_disown_netns(record);
	if (status == 0)
		json_array_append_new(collection->rows,
				      json_pack("{s:s, s:s*}", "id", record->id, "netns", path));
}

static void collect_container(struct collection *collection, const char *id)
{
	cleanup_record struct record record = { 0 };
	struct error failure;

	if (record_open(&collection->store, id, &record, &failure) < 0) {
		note_failure(collection, id, &failure);
		return;
	}

	bool gone = is_gone(&record);
	for (size_t i = json_array_size(record.attachments); i > 0; i--) {
		json_t *entry = json_array_get(record.attachments, i - 1);
		json_auto_t *row = json_pack("{s:s, s:O, s:O}", "id", id, "network",
					     json_object_get(entry, "network"), "ifname",
					     json_object_get(entry, "ifname"));

		if (!gone && attach_is_alive(entry))
			continue;
		if (attach_del(&record, entry, &collection->attach, &failure) == 0)
			json_array_append(collection->rows, row);
		else
			note_failure(collection, id, &failure);
	}
	if (gone && record.owns_netns && json_array_size(record.attachments) == 0)
		remove_netns(collection, &record);
}

/* The lock files of killed processes that have left nothing else. */
static void collect_locks(struct collection *collection)
{
	cleanup_strings struct strings ids = { 0 };
	struct error failure;

	if (record_list_locks(&collection->store, &ids, &failure) < 0)
		note_failure(collection, "locks", &failure);
	for (size_t i = 0; i < ids.count && !cli_interrupted(); i++) {
		cleanup_record struct record record = { 0 };

		if (record_open(&collection->store, ids.items[i], &record, &failure) < 0)
			note_failure(collection, ids.items[i], &failure);
	}
}

/* What a network's plugins must keep: all that is recorded, also what is being made. */
static json_t *valid_attachments(const struct store *store, const char *network, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	json_auto_t *valid = json_array();

	if (record_list(store, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		json_auto_t *attachments = record_peek(store, ids.items[i], err);
		const json_t *entry;
		size_t n;

		if (!attachments)
			return NULL;
		json_array_foreach (attachments, n, entry) {
			if (strcmp(json_text(entry, "network", ""), network) == 0)
				json_array_append_new(valid,
						      json_pack("{s:s, s:O}", "containerID",
								ids.items[i], "ifname",
								json_object_get(entry, "ifname")));
		}
	}
	return json_incref(valid);
}

static int collect_network(struct collection *collection, const json_t *config,
			   const char *plugin_path, struct error *err)
{
	const char *network = cni_config_name(config);
	const struct attachment attachment = {
		.plugin_path = plugin_path,
		.timeout_ms = collection->attach.timeout_ms,
	};
	cleanup_lock int lock =
		attach_lock_network(&collection->store, network, LOCK_EXCLUSIVE, err);
	json_auto_t *valid = lock < 0 ? NULL : valid_attachments(&collection->store, network, err);

	return valid ? cni_chain_gc(config, &attachment, valid, lock, err) : -1;
}

/* GC by the plugins themselves, for what no record knows. */
static int collect_networks(struct collection *collection, const struct gc_settings *settings,
			    struct error *err)
{
	cleanup_free char *plugin_path = options_plugin_path(&settings->plugin_dirs);
	const json_t *config;
	size_t i;

	json_auto_t *configs = cni_files_all(&collection->conf_dirs, err);
	if (!configs)
		return -1;
	json_array_foreach (configs, i, config) {
		struct error failure;

		if (cli_interrupted() || !cni_config_speaks(config, "1.1.0") ||
		    cni_config_is_set(config, "disableGC"))
			continue;
		if (collect_network(collection, config, plugin_path, &failure) < 0)
			note_failure(collection, cni_config_name(config), &failure);
	}
	return 0;
}

static int gc(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "CONTAINER", "id", COLUMN_TEXT },
		{ "NETWORK", "network", COLUMN_TEXT },
		{ "INTERFACE", "ifname", COLUMN_TEXT },
		{ "NAMESPACE", "netns", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	const struct gc_settings *settings = cli->settings;
	cleanup_collection struct collection collection = {
		.plugin_path = options_plugin_path_if_any(&settings->plugin_dirs),
		.rows = json_array(),
	};
	cleanup_strings struct strings ids = { 0 };

	options_conf_dirs(&settings->conf_dirs, &collection.conf_dirs);
	collection.attach.conf_dirs = &collection.conf_dirs;
	collection.attach.plugin_path = collection.plugin_path;
	collection.attach.timeout_ms = options_timeout(settings->timeout_s, err);
	if (collection.attach.timeout_ms < 0 || store_open(cli, &collection.store, err) < 0 ||
	    record_list(&collection.store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count && !cli_interrupted(); i++)
		collect_container(&collection, ids.items[i]);
	collect_locks(&collection);

	int status = collect_networks(&collection, settings, err);
	struct error failure;
	if (output_list(cli, collection.rows, columns, &failure) < 0) {
		*err = failure;
		return -1;
	}
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	if (status == 0 && collection.failed)
		*err = collection.failure;
	return status < 0 || collection.failed ? -1 : 0;
}

static const struct cli_option options[] = {
	OPTION_CONF_DIRS(gc_settings),
	OPTION_PLUGIN_DIRS(gc_settings, PLUGINS_OF_ADD),
	OPTION_TIMEOUT(gc_settings),
	{ 0 },
};

static const struct gc_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command gc_command = {
	.name = "gc",
	.summary = "disconnect containers that no longer exist",
	.details =
		"Prints what was removed. Then asks the plugins of CNI 1.1.0 networks to remove\n"
		"what does not belong to a connected container.",
	.options = options,
	.settings_size = sizeof(struct gc_settings),
	.defaults = &defaults,
	.run = gc,
};
