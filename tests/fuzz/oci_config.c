/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as a config.json to validate, to repair, and to take apart: what a repair is about is
 * not found again in the same place, and leaves are where their pointers say. */
#include "lib/json.h"
#include "oci-gen/findings.h"
#include "oci-gen/fixes.h"
#include "oci-gen/leaves.h"
#include "oci-gen/pointer.h"

#include <stdint.h>
#include <stdlib.h>

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

	json_auto_t *leaves = leaves_of(config, size % 2);
	const char *path;
	json_t *leaf;
	json_object_foreach (leaves, path, leaf) {
		if (!pointer_find(config, json_text(leaf, "pointer", "/"), NULL))
			abort();
	}
	if (!json_is_object(config))
		return 0;
	for (enum fixes_turn turn = 0; turn < FIXES_TURNS; turn++)
		for (size_t i = json_array_size(findings.rows); i-- > 0;) {
			json_auto_t *before = json_deep_copy(config);

			if (fixes_apply(config, json_array_get(findings.rows, i), turn) &&
			    json_equal(before, config))
				abort();
		}
	return 0;
}
