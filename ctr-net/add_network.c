/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/add.h"

#include "ctr-net/attach.h"
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_result.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"

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
