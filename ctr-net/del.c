/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/attach.h"
#include "ctr-net/cni_chain.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/store.h"

#include <string.h>

struct del_settings {
	struct strings conf_dirs, plugin_dirs;
	const char *ifname, *id;
	long long timeout_s;
	bool force;
};

/* Take the container off all its networks, and remove the namespace that `add` made for it. */
static int del_id(const struct store *store, const char *id, const struct attach_settings *settings,
		  struct error *err)
{
	cleanup_record struct record record = { 0 };
	struct error failure;

	if (record_open(store, id, &record, err) < 0 || attach_del_all(&record, settings, err) < 0)
		return -1;
	if (!record.owns_netns)
		return 0;
	if (pin_remove(store->runroot, PIN_NET, id, &failure) < 0 &&
	    failure.kind != ERROR_NOT_FOUND) {
		*err = failure;
		return -1;
	}
	record_disown_netns(&record);
	return 0;
}

/* An attachment that no record knows, say of a store that was lost: DEL by today's configuration
 * releases what can be released without it. */
static int del_unrecorded(const struct cli *cli, const struct record *record, const char *netns,
			  const char *ifname, const struct attach_settings *attach,
			  struct error *err)
{
	const struct del_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path(&settings->plugin_dirs);
	json_auto_t *config = cni_files_find(attach->conf_dirs, cli->operands[0], err);
	if (!config)
		return -1;

	bool is_gone = ns_look(netns, NULL) == 0;
	if (!is_gone && ns_check_not_ours(netns, err) < 0)
		return -1;
	const struct attachment attachment = {
		.container_id = record->id,
		.netns = is_gone ? NULL : netns,
		.ifname = ifname,
		.plugin_path = plugin_path,
		.timeout_ms = attach->timeout_ms,
	};
	cleanup_fd int lock = -1;
	if (attach_keep_gc_out(record->store, config, &lock, err) < 0)
		return -1;

	enum cni_del_mode mode = attach->force ? CNI_DEL_FORCE : CNI_DEL_STOP;
	if (cni_chain_del(config, &attachment, NULL, mode, record->lock_fd, err) == 0)
		return 0;
	if (!attach->force || cli_interrupted())
		return -1;
	log_message(LOG_LEVEL_WARN, "%s", err->message);
	return 0;
}

/* `del NETWORK NETNS` */
static int del_alone(const struct cli *cli, const struct store *store,
		     const struct attach_settings *attach, struct error *err)
{
	const struct del_settings *settings = cli->settings;
	const char *network = cli->operands[0], *netns = cli->operands[1];
	const char *ifname = settings->ifname ? settings->ifname : "eth0";
	cleanup_free char *path = ns_path(store->runroot, netns, err);
	cleanup_record struct record record = { 0 };

	if (!path || options_check_ifname(ifname, err) < 0)
		return -1;

	cleanup_free char *id = options_id(settings->id, netns, path, store->runroot);
	if (record_open(store, id, &record, err) < 0)
		return -1;

	json_t *entry = record_find(&record, ifname); /* borrowed from record */
	if (!entry)
		return del_unrecorded(cli, &record, path, ifname, attach, err);
	if (strcmp(json_text(entry, "network", ""), network) != 0)
		return error_set(err, ERROR_NOT_FOUND, "%s of %s belongs to network %s, not %s",
				 ifname, id, json_text(entry, "network", "?"), network);
	return attach_del(&record, entry, attach, err);
}

static int del_document(const struct cli *cli, const struct store *store,
			const struct attach_settings *attach, struct error *err)
{
	json_auto_t *document = document_read(err);
	const char *id = document ? document_id(document, err) : NULL;

	if (!id || del_id(store, id, attach, err) < 0)
		return -1;
	json_object_del(document, "network");
	/* the bundle may have gone first */
	if (json_path(document, "rootfs", "bundle", NULL) && document_save(document, err) < 0 &&
	    err->kind != ERROR_NOT_FOUND)
		return -1;
	return output_object(cli, document, err);
}

static int del(const struct cli *cli, struct error *err)
{
	const struct del_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path_if_any(&settings->plugin_dirs);
	cleanup_strings struct strings conf_dirs = { 0 };
	const struct attach_settings attach = {
		.plugin_path = plugin_path,
		.conf_dirs = &conf_dirs,
		.timeout_ms = options_timeout(settings->timeout_s, err),
		.force = settings->force,
	};
	cleanup_store struct store store = { 0 };

	options_conf_dirs(&settings->conf_dirs, &conf_dirs);
	if (attach.timeout_ms < 0 || (settings->id && options_check_id(settings->id, err) < 0))
		return -1;
	if (cli->operand_count == 1) {
		cli_usage(cli, err, "missing operand: NETNS");
		return error_hint(err, "--id takes a container off all its networks");
	}
	if (settings->ifname && cli->operand_count == 0)
		return cli_usage(cli, err, "--ifname goes with NETWORK and NETNS");
	if (store_open(cli, &store, err) < 0)
		return -1;
	if (cli->operand_count == 2)
		return del_alone(cli, &store, &attach, err);
	return settings->id ? del_id(&store, settings->id, &attach, err)
			    : del_document(cli, &store, &attach, err);
}

static const struct cli_option options[] = {
	OPTION_ID(del_settings, "disconnect it from all its networks"),
	OPTION_IFNAME(del_settings),
	{ "conf-dir", 0, "DIR", OPTION_LIST, offsetof(struct del_settings, conf_dirs),
	  "network configurations to use if there is no record" },
	OPTION_PLUGIN_DIRS(del_settings, PLUGINS_OF_ADD),
	OPTION_TIMEOUT(del_settings),
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct del_settings, force),
	  "continue after a failing plugin, and forget the connection" },
	{ 0 },
};

static const struct del_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command del_command = {
	.name = "del",
	.operands = "[NETWORK NETNS]",
	.operands_max = 2,
	.summary = "disconnect a container from its networks",
	.details = "With operands: disconnects from that network only. With --id alone, or with a\n"
		   "container document on stdin: disconnects from all networks and removes the\n"
		   "namespace that add created; the document is printed without the field "
		   "\"network\".\n"
		   "Disconnecting what is not connected is not an error.",
	.options = options,
	.settings_size = sizeof(struct del_settings),
	.defaults = &defaults,
	.run = del,
};
