/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/attach.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/store.h"

#include <string.h>

struct check_settings {
	struct strings plugin_dirs;
	const char *ifname, *id;
	long long timeout_s;
};

static int check_entry(const struct record *record, const json_t *entry,
		       const struct attach_settings *settings, json_t *rows, struct error *err)
{
	bool checked;

	if (attach_check(record, entry, settings, &checked, err) < 0)
		return -1;
	json_array_append_new(
		rows, json_pack("{s:O, s:O, s:b}", "network", json_object_get(entry, "network"),
				"ifname", json_object_get(entry, "ifname"), "checked", checked));
	return 0;
}

static int not_connected(const char *id, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "%s is not connected to a network", id);
	return error_subject(err, id);
}

/* All attachments of a container, in the order of their making. */
static int check_id(const struct store *store, const char *id,
		    const struct attach_settings *settings, json_t *rows, struct error *err)
{
	cleanup_record struct record record = { 0 };
	const json_t *entry;
	size_t i;

	if (record_open(store, id, &record, err) < 0)
		return -1;
	json_array_foreach (record.attachments, i, entry) {
		if (check_entry(&record, entry, settings, rows, err) < 0)
			return -1;
	}
	/* an `add` of no network has nothing to be checked */
	return json_array_size(rows) > 0 || record.ready ? 0 : not_connected(id, err);
}

/* `check NETWORK NETNS` */
static int check_alone(const struct cli *cli, const struct store *store,
		       const struct attach_settings *attach, json_t *rows, struct error *err)
{
	const struct check_settings *settings = cli->settings;
	const char *network = cli->operands[0], *netns = cli->operands[1];
	const char *ifname = settings->ifname ? settings->ifname : "eth0";
	cleanup_free char *path = ns_path(store->runroot, netns, err);
	cleanup_record struct record record = { 0 };

	if (!path || options_check_ifname(ifname, err) < 0)
		return -1;

	cleanup_free char *id = options_id(settings->id, netns, path, store->runroot);
	if (record_open(store, id, &record, err) < 0)
		return -1;

	const json_t *entry = record_find(&record, ifname); /* borrowed from record */
	if (!entry || strcmp(json_text(entry, "network", ""), network) != 0) {
		error_set(err, ERROR_NOT_FOUND, "%s is not connected to network %s by %s", id,
			  network, ifname);
		return error_subject(err, id);
	}
	return check_entry(&record, entry, attach, rows, err);
}

static int check_document(const struct cli *cli, const struct store *store,
			  const struct attach_settings *attach, json_t *rows, struct error *err)
{
	json_auto_t *document = document_read(err);
	const char *id = document ? document_id(document, err) : NULL;

	if (!id || check_id(store, id, attach, rows, err) < 0)
		return -1;
	return output_object(cli, document, err);
}

static int check(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NETWORK", "network", COLUMN_TEXT },
		{ "INTERFACE", "ifname", COLUMN_TEXT },
		{ "CHECKED", "checked", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	const struct check_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path_if_any(&settings->plugin_dirs);
	const struct attach_settings attach = {
		.plugin_path = plugin_path,
		.timeout_ms = options_timeout(settings->timeout_s, err),
	};
	cleanup_store struct store store = { 0 };
	json_auto_t *rows = json_array();

	if (attach.timeout_ms < 0 || (settings->id && options_check_id(settings->id, err) < 0))
		return -1;
	if (cli->operand_count == 1)
		return cli_usage(cli, err, "missing operand: NETNS");
	if (settings->ifname && cli->operand_count == 0)
		return cli_usage(cli, err, "--ifname goes with NETWORK and NETNS");
	if (store_open(cli, &store, err) < 0)
		return -1;
	if (cli->operand_count == 0 && !settings->id)
		return check_document(cli, &store, &attach, rows, err);
	if ((cli->operand_count == 2 ? check_alone(cli, &store, &attach, rows, err)
				     : check_id(&store, settings->id, &attach, rows, err)) < 0)
		return -1;
	return output_list(cli, rows, columns, err);
}

static const struct cli_option options[] = {
	OPTION_ID(check_settings, "check all its networks"),
	OPTION_IFNAME(check_settings),
	OPTION_PLUGIN_DIRS(check_settings, PLUGINS_OF_ADD),
	OPTION_TIMEOUT(check_settings),
	{ 0 },
};

static const struct check_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command check_command = {
	.name = "check",
	.operands = "[NETWORK NETNS]",
	.operands_max = 2,
	.summary = "check with the plugins that connections are in order",
	.details = "With operands: checks that network only. With --id alone, or with a container\n"
		   "document on stdin: checks all networks of the container. Prints what was\n"
		   "checked, or the document unchanged.",
	.options = options,
	.settings_size = sizeof(struct check_settings),
	.defaults = &defaults,
	.run = check,
};
