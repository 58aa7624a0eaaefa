/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin answers to ADD, read as every version of CNI has it. */
#include "ctr-net/cni_result.h"

#include "lib/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const versions[] = { "1.1.0", "0.3.0", "0.4.0", "1.0.0", "0.3.1" };
	struct error err;
	json_auto_t *result = json_parse((const char *)data, size, "input", &err);

	if (!result || !cni_result_is_valid(result))
		return 0;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (cni_result_convert(result, versions[i], &err) == 0 &&
		    (strcmp(json_text(result, "cniVersion", ""), versions[i]) != 0 ||
		     !cni_result_is_valid(result)))
			abort();
	return 0;
}
