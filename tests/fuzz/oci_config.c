/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as a config.json to validate. */
#include "lib/json.h"
#include "oci-gen/findings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	cleanup_findings struct findings findings = { 0 };
	json_auto_t *config = json_parse((const char *)data, size, "input", &err);

	if (!config)
		return 0;
	structure_check(config, &findings);
	rules_check(config, NULL, &findings);
	return 0;
}
