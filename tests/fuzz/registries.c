/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary files of registries: parsed, and asked for a place where they can be read. */
#include "skopeo-c/registries.h"

#include "lib/memory.h"
#include "lib/reference.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference reference = {
		.registry = (char *)"a.example.com:5000",
		.repository = (char *)"ns/image",
		.tag = (char *)"v1",
	};
	json_t *registries = json_object();
	struct route route = { 0 };
	struct error err;

	if (registries_add(registries, (const char *)data, size, "x", &err) == 0 &&
	    registries_find(registries, &reference, size % 2, &route, &err) == 0)
		route_free(&route);
	json_decref(registries);
	return 0;
}
