/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as policy.json; what is taken must have requirements for every image. */
#include "skopeo-c/policy.h"

#include "lib/reference.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct reference intended = {
	.registry = (char *)"a.example.com:5000",
	.repository = (char *)"ns/image",
	.tag = (char *)"v1",
};

static void use(const json_t *policy)
{
	struct strings scopes = { 0 };
	const json_t *requirement;
	size_t i;

	policy_scopes_of_reference(&intended, &scopes);
	const json_t *list = policy_requirements(policy, "docker", &scopes);
	if (json_array_size(list) == 0)
		abort();
	json_array_foreach (list, i, requirement) {
		(void)policy_identity_matches(json_object_get(requirement, "signedIdentity"),
					      &intended, "a.example.com:5000/ns/image:v1");
	}
	strings_free(&scopes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	json_t *policy = policy_parse((const char *)data, size, "fuzz", &err);

	if (policy)
		use(policy);
	json_decref(policy);
	return 0;
}
