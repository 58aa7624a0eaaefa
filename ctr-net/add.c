/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/add.h"

#include "ctr-net/attach.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/cni_version.h"
#include "ctr-net/commands.h"
#include "ctr-net/ns.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/output.h"

#include <errno.h>
#include <signal.h>
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
	/* a result that nobody reads is taken back, too */
	signal(SIGPIPE, SIG_IGN);
	if ((cli->operand_count == 2 ? add_alone(cli, &request, err)
				     : add_document(cli, &request, err)) == 0)
		return 0;
	return err->os == EPIPE ? 128 + SIGPIPE : -1;
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
