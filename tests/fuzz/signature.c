/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as the file of a signature, and as what a signer says. */
#include "skopeo-c/signature.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_file(const char *data, size_t size)
{
	struct signature signature = { 0 }, again = { 0 };
	struct error err;
	size_t length;

	if (signature_from_file(data, size, "fuzz", &signature, &err) < 0)
		return;
	char *bytes = signature_to_file(&signature, &length);
	if (signature_from_file(bytes, length, "fuzz", &again, &err) < 0 ||
	    again.kind != signature.kind || again.length != signature.length)
		abort();
	free(bytes);
	signature_free(&signature);
	signature_free(&again);
}

static void use_payload(const char *data, size_t size, const char *type)
{
	struct signature_payload payload;
	struct error err;

	if (signature_payload_parse(data, size, type, &payload, &err) < 0)
		return;
	if (!digest_is_valid(payload.digest) || !payload.reference)
		abort();
	signature_payload_free(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	use_file((const char *)data, size);
	use_payload((const char *)data, size, PAYLOAD_SIMPLE);
	use_payload((const char *)data, size, PAYLOAD_SIGSTORE);
	return 0;
}
