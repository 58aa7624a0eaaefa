/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.json: which images may be taken from where (containers-policy.json(5)). A list of
 * requirements, all of which must be met, belongs to each scope; of the scopes that fit an image
 * only the most specific one counts. What is not understood makes the whole file invalid.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct reference;

/* The policy to go by: accept anything with `insecure`; `path` where it is given; else the first
 * that exists of ~/.config/containers/policy.json and /etc/containers/policy.json; else accept
 * anything. The caller owns it. */
json_t *policy_load(const char *path, bool insecure, struct error *err);

/* Parse and check the whole: ERROR_INTEGRITY "WHAT: …" with where it is wrong. */
json_t *policy_parse(const char *text, size_t length, const char *what, struct error *err);

/* Add the scopes that fit an image, from the most specific to the widest: the reference, its
 * repository and the namespaces above it, its host, *.DOMAIN. The same names are the keys of
 * registries.d. */
void policy_scopes_of_reference(const struct reference *reference, struct strings *scopes);
/* The absolute path and the directories above it. */
void policy_scopes_of_path(const char *path, struct strings *scopes);

/* The requirements for an image of a transport ("docker"), an array that is not empty; borrowed. */
const json_t *policy_requirements(const json_t *policy, const char *transport,
				  const struct strings *scopes);

/* Whether a signature for the name `signed_name` may stand for the image that was asked for as
 * `intended` (NULL: by no name). identity: a signedIdentity of the policy, NULL for the default. */
bool policy_identity_matches(const json_t *identity, const struct reference *intended,
			     const char *signed_name);

/* Whether a text can be a prefix of remapIdentity: HOST[:PORT][/PATH]. */
bool policy_is_prefix(const char *text);
