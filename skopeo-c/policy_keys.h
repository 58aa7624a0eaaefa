/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that a requirement of a policy names, in files or in the policy itself. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/sigstore.h"

#include <jansson.h>

struct gpg;

struct policy_keys {
	const json_t *requirement; /* borrowed from the policy */
	struct gpg *gpg;	   /* of signedBy */
	struct sigstore_keys sigstore, rekor;
};

/* Read the keys of a requirement, signedBy or sigstoreSigned. */
int policy_keys_read(const json_t *requirement, struct policy_keys *keys, struct error *err);
void policy_keys_free(struct policy_keys *keys);
