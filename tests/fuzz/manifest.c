/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a manifest; what is taken must have a usable descriptor everywhere. */
#include "skopeo-c/manifest.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const json_t *descriptor)
{
	struct blob blob;
	struct error err;

	if (blob_from_json(descriptor, "descriptor", &blob, &err) < 0)
		abort();
	(void)digest_hex(blob.digest);
	(void)blob_is_foreign(&blob);
}

static void use_manifest(const struct manifest *manifest)
{
	const char *list = manifest->is_index ? "manifests" : "layers";
	const json_t *item;
	size_t i;

	json_decref(manifest_descriptor(manifest));
	if (!manifest->is_index)
		use(json_object_get(manifest->json, "config"));
	json_array_foreach (json_object_get(manifest->json, list), i, item) {
		use(item);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { NULL, MANIFEST_OCI, MANIFEST_DOCKER_LIST,
					     "text/plain" };
	char *bytes = xstrndup((const char *)data, size);
	struct manifest manifest;
	struct error err;

	/* the last byte chooses what the transport says */
	if (manifest_parse(bytes, size ? strlen(bytes) : 0, types[size ? data[size - 1] % 4 : 0],
			   NULL, "fuzz", &manifest, &err) < 0)
		return 0;
	use_manifest(&manifest);
	manifest_free(&manifest);
	return 0;
}
