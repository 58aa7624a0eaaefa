/* SPDX-License-Identifier: Apache-2.0 */
/* Network configurations: parsing, and what plugins would be given. */
#include "ctr-net/cni_config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	json_auto_t *config = cni_config_parse((const char *)data, size, "input", &err);

	if (!config) {
		/* the same bytes as a plugin's own file */
		json_auto_t *open = json_pack("{s:s, s:s, s:[]}", "cniVersion", "1.1.0", "name",
					      "n", "plugins");

		cni_config_add_plugin(open, (const char *)data, size, "input", &err);
		return 0;
	}

	json_auto_t *capabilities = json_pack("{s:[], s:s}", "portMappings", "mac", "m");
	for (size_t i = 0; i < cni_config_plugin_count(config); i++) {
		json_auto_t *request = cni_config_request(config, i, capabilities, config);

		/* what the rest of the tool relies on */
		if (!*cni_config_plugin_type(config, i) || !*cni_config_name(config) ||
		    json_object_get(request, "capabilities") ||
		    !json_object_get(request, "cniVersion"))
			abort();
	}
	return 0;
}
