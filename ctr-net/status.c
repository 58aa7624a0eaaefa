/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_chain.h"
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/cni_plugin.h"
#include "ctr-net/commands.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/output.h"

struct status_settings {
	struct strings conf_dirs, plugin_dirs;
	long long timeout_s;
};

/* Plugins that give out addresses are found by other plugins only when they run. */
static int find_ipam(const json_t *config, const struct attachment *attachment, struct error *err)
{
	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		const char *type = cni_config_ipam_type(config, i);
		cleanup_free char *path =
			type ? cni_plugin_find(attachment->plugin_path, type, err) : NULL;

		if (type && !path)
			return -1;
	}
	return 0;
}

static int ask_network(const json_t *config, const struct attachment *attachment, struct error *err)
{
	int status = cni_chain_find(config, attachment, err);

	if (status == 0)
		status = find_ipam(config, attachment, err);
	if (status == 0 && cni_config_speaks(config, "1.1.0"))
		status = cni_chain_status(config, attachment, err);
	return status < 0 ? error_prefix(err, "network %s", cni_config_name(config)) : 0;
}

/* As CRI has it (RuntimeCondition). */
static int print_condition(const struct cli *cli, const struct error *failure, struct error *err)
{
	json_auto_t *condition = json_pack(
		"{s:s, s:b, s:s, s:s}", "type", "NetworkReady", "status", failure == NULL, "reason",
		failure ? "NetworkPluginNotReady" : "", "message", failure ? failure->message : "");

	/* a message that is no UTF-8 */
	if (!condition)
		condition = json_pack("{s:s, s:b, s:s, s:s}", "type", "NetworkReady", "status", 0,
				      "reason", "NetworkPluginNotReady", "message", "");
	return output_object(cli, condition, err);
}

static int status(const struct cli *cli, struct error *err)
{
	const struct status_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path(&settings->plugin_dirs);
	cleanup_strings struct strings dirs = { 0 };
	const struct attachment attachment = {
		.plugin_path = plugin_path,
		.timeout_ms = options_timeout(settings->timeout_s, err),
	};
	struct error failure;

	if (attachment.timeout_ms < 0)
		return -1;
	options_conf_dirs(&settings->conf_dirs, &dirs);

	json_auto_t *config = cni_files_find(&dirs, cli->operands[0], &failure);
	bool ready = config && ask_network(config, &attachment, &failure) == 0;
	if (print_condition(cli, ready ? NULL : &failure, err) < 0)
		return -1;
	if (!ready)
		*err = failure;
	return ready ? 0 : -1;
}

static const struct cli_option options[] = {
	OPTION_CONF_DIRS(status_settings),
	OPTION_PLUGIN_DIRS(status_settings, PLUGINS_USUAL),
	OPTION_TIMEOUT(status_settings),
	{ 0 },
};

static const struct status_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command status_command = {
	.name = "status",
	.operands = "[NETWORK]",
	.operands_max = 1,
	.summary = "show whether a network is ready for containers",
	.details = "Prints the condition NetworkReady as in the CRI, by default for the first\n"
		   "network. If it is not ready, the exit status tells why.",
	.options = options,
	.settings_size = sizeof(struct status_settings),
	.defaults = &defaults,
	.run = status,
};
