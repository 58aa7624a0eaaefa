/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a file of registries.d; what is taken must name places that can be used. */
#include "skopeo-c/lookaside.h"

#include "lib/reference.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference reference = {
		.registry = (char *)"a.example.com:5000",
		.repository = (char *)"ns/image",
		.tag = (char *)"v1",
	};
	json_t *sections = json_object();
	struct lookaside lookaside;
	struct error err;

	if (lookaside_add(sections, (const char *)data, size, "fuzz", &err) == 0 &&
	    lookaside_choose(sections, &reference, &lookaside, &err) == 0) {
		if (strncmp(lookaside.read, "file:///", 8) != 0 &&
		    strncmp(lookaside.read, "http", 4) != 0)
			abort();
		lookaside_free(&lookaside);
	}
	json_decref(sections);
	return 0;
}
