/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a sigstore bundle, as Rekor's promise, and as a public key. */
#include "skopeo-c/sigstore_bundle.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key that has signed the seeds. */
static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEERxyVqebGHhM47FTNE80Gyxl/nGL\n"
			  "s39AePBnEIWP0JbjaCi2jkQo7dcDz+NZjMPC2D31/Gsnlpc+KYBp7CGTEA==\n"
			  "-----END PUBLIC KEY-----\n";

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sigstore_keys keys = { 0 };
	char *text = xstrndup((const char *)data, size), *name = NULL;
	struct error err;

	if (sigstore_keys_add(&keys, pem, strlen(pem), "key", &err) < 0)
		abort();
	if (sigstore_bundle_verify(&keys, (const char *)data, size, DIGEST, &name, &err) == 0)
		free(name);
	(void)sigstore_rekor_verify(&keys, text, keys.items[0], "c2ln", "payload", 7, &err);
	(void)sigstore_keys_add(&keys, (const char *)data, size, "key", &err);
	sigstore_keys_free(&keys);
	free(text);
	return 0;
}
