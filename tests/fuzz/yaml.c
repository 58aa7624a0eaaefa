/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as YAML. */
#include "lib/yaml.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;

	json_decref(yaml_parse((const char *)data, size, "fuzz", &err));
	return 0;
}
