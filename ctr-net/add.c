/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/add.h"

#include "ctr-net/attach.h"
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/cni_result.h"
#include "ctr-net/cni_version.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/output.h"

#include <stdlib.h>

static void add_request_free(struct add_request *request)
{
	store_close(&request->store);
	strings_free(&request->conf_dirs);
	free(request->plugin_path);
	free(request->args);
	json_decref(request->capabilities);
}
#define cleanup_add_request __attribute__((cleanup(add_request_free)))

static int check_result_version(const char *version, struct error *err)
{
	if (!version || cni_version_is_supported(version))
		return 0;
	return error_set(err, ERROR_USAGE, "--result-version is %s to %s", CNI_VERSION_MIN,
			 CNI_VERSION_MAX);
}

static int resolve(const struct cli *cli, struct add_request *request, struct error *err)
{
	const struct add_settings *settings = request->settings = cli->settings;

	options_conf_dirs(&settings->conf_dirs, &request->conf_dirs);
	request->plugin_path = options_plugin_path(&settings->plugin_dirs);
	request->timeout_ms = options_timeout(settings->timeout_s, err);
	if (request->timeout_ms < 0 ||
	    options_args(&settings->arguments, &request->args, err) < 0 ||
	    check_result_version(settings->result_version, err) < 0 ||
	    (settings->ifname && options_check_ifname(settings->ifname, err) < 0) ||
	    (settings->id && options_check_id(settings->id, err) < 0))
		return -1;
	request->capabilities =
		options_capabilities(&settings->capabilities, &settings->publish, err);
	return request->capabilities ? store_open(cli, &request->store, err) : -1;
}

int add_check_publish(const struct add_request *request, const json_t *configs, struct error *err)
{
	const json_t *config;
	size_t i;

	json_array_foreach (configs, i, config) {
		if (cni_config_declares(config, "portMappings"))
			return 0;
	}
	if (request->settings->publish.count == 0)
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "network %s cannot publish ports",
		  json_array_size(configs) ? cni_config_name(json_array_get(configs, 0)) : "none");
	return error_hint(err, "its configuration needs a plugin like {\"type\": \"portmap\", "
			       "\"capabilities\": {\"portMappings\": true}}");
}

int add_network(struct add_request *request, struct record *record, const json_t *config,
		const char *netns, const char *ifname, json_t **result, struct error *err)
{
	const char *version = request->settings->result_version;
	json_t *recorded; /* borrowed from record */
	json_auto_t *capabilities = options_take_capabilities(request->capabilities, config);
	const struct attachment attachment = {
		.container_id = record->id,
		.netns = netns,
		.ifname = ifname,
		.args = request->args,
		.capabilities = capabilities,
		.plugin_path = request->plugin_path,
		.timeout_ms = request->timeout_ms,
	};

	if (attach_add(record, config, &attachment, &request->conf_dirs, &recorded, err) < 0)
		return -1;

	json_t *shown = json_deep_copy(recorded);
	/* both versions are known to be supported */
	if (version && cni_result_convert(shown, version, err) < 0) {
		json_decref(shown);
		return -1;
	}
	*result = shown;
	return 0;
}

/* `add NETWORK NETNS` */
static int add_alone(const struct cli *cli, struct add_request *request, struct error *err)
{
	const char *network = cli->operands[0], *netns = cli->operands[1];
	const char *ifname = request->settings->ifname ? request->settings->ifname : "eth0";
	json_auto_t *result = NULL;

	if (request->settings->networks.count > 0)
		return cli_usage(cli, err, "--network stands in place of operands");

	cleanup_free char *path = ns_path(request->store.runroot, netns, err);
	if (!path || ns_check_not_ours(path, err) < 0)
		return -1;

	json_auto_t *config = cni_files_find(&request->conf_dirs, network, err);
	json_auto_t *configs = config ? json_pack("[O]", config) : NULL;
	if (!config || add_check_publish(request, configs, err) < 0)
		return -1;

	cleanup_free char *id =
		options_id(request->settings->id, netns, path, request->store.runroot);
	cleanup_record struct record record = { 0 };
	if (record_open(&request->store, id, &record, err) < 0 ||
	    add_network(request, &record, config, path, ifname, &result, err) < 0)
		return -1;
	if (output_object(cli, result, err) == 0)
		return 0;

	/* nobody has learnt of it */
	const struct attach_settings settings = {
		.plugin_path = request->plugin_path,
		.timeout_ms = request->timeout_ms,
	};
	attach_undo(&record, record_find(&record, ifname), &settings);
	return -1;
}

static int add(const struct cli *cli, struct error *err)
{
	cleanup_add_request struct add_request request = { 0 };

	if (cli->operand_count == 1) {
		cli_usage(cli, err, "missing operand: NETNS");
		return error_hint(err, "with a document, networks are named by --network");
	}
	if (resolve(cli, &request, err) < 0)
		return -1;
	return cli->operand_count == 2 ? add_alone(cli, &request, err)
				       : add_document(cli, &request, err);
}

#define OPTION(name, value, kind, field, help)                                                     \
	{                                                                                          \
		name, 0, value, kind, offsetof(struct add_settings, field), help                   \
	}

static const struct cli_option options[] = {
	OPTION("network", "NETWORK|none", OPTION_LIST, networks,
	       "with a document: network to connect to (default: the first), or none"),
	OPTION("publish", "[IP:]PORT:PORT[/PROTO]", OPTION_LIST, publish,
	       "forward a port of the host: HOSTPORT:CONTAINERPORT"),
	OPTION("ifname", "NAME", OPTION_STRING, ifname,
	       "interface name in the container (default eth0, eth1, ...)"),
	OPTION("id", "ID", OPTION_STRING, id, "container id (default: from the document or NETNS)"),
	OPTION("cap", "NAME=JSON", OPTION_LIST, capabilities,
	       "a capability argument for plugins that declare it"),
	OPTION("arg", "K=V", OPTION_LIST, arguments, "an argument for all plugins (CNI_ARGS)"),
	OPTION_CONF_DIRS(add_settings),
	OPTION_PLUGIN_DIRS(add_settings, PLUGINS_USUAL),
	OPTION_TIMEOUT(add_settings),
	OPTION("result-version", "VERSION", OPTION_STRING, result_version,
	       "CNI version of the printed result (default: the network's)"),
	{ 0 },
};

static const struct add_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command add_command = {
	.name = "add",
	.operands = "[NETWORK NETNS]",
	.operands_max = 2,
	.summary = "connect a container to networks with CNI plugins",
	.details = "With operands: connects the namespace NETNS (a path, or the name of a pinned\n"
		   "namespace) to NETWORK and prints the CNI result. Without: reads a container\n"
		   "document, connects its container, creating and pinning a namespace if it has\n"
		   "none, and prints the document with the field \"network\".",
	.options = options,
	.settings_size = sizeof(struct add_settings),
	.defaults = &defaults,
	.run = add,
};
