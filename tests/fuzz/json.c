/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from outside as JSON: what is accepted can be written and is read back as the same. */
#include "lib/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	json_auto_t *json = json_parse((const char *)data, size, "input", &err);

	if (!json)
		return 0;

	char *text = json_compact(json);
	json_auto_t *again = json_parse(text, strlen(text), "output", &err);
	if (!again || !json_equal(json, again))
		abort();
	free(text);
	return 0;
}
