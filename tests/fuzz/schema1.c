/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a manifest of schema 1, and as its history and signatures. */
#include "skopeo-c/schema1.h"

#include "lib/digest.h"
#include "lib/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const char *bytes, size_t size, const json_t *manifest)
{
	json_t *layers, *config;
	struct error err;
	size_t length = 0;
	char *payload = schema1_payload(bytes, size, manifest, &length);

	if (payload && length == 0)
		abort();
	free(payload);
	if (schema1_check(manifest, "fuzz", &err) < 0)
		return;
	layers = schema1_layers(manifest, size % 2);
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (!digest_is_valid(json_text(json_array_get(layers, i), "digest", "")))
			abort();
	config = schema1_config(manifest, size % 3 ? layers : NULL, "fuzz", &err);
	json_decref(config);
	json_decref(layers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct error err;
	json_t *manifest = json_parse(bytes, size, "fuzz", &err);

	if (manifest)
		use(bytes, size, manifest);
	json_decref(manifest);
	return 0;
}
