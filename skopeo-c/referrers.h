/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to a manifest in a registry: the manifests whose `subject` it is (distribution-spec,
 * "Listing Referrers"), and what cosign keeps under tags that are made of its digest.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http;
struct manifest;
struct plan;
struct transport;

enum { REFERRERS_MAX = 1000 }; /* of one manifest, and of what is carried along by one copy */

/* The descriptors of the manifests that refer to `digest`, by the API, or by the index under a tag
 * where there is none: *has_api tells which. They are what the registry says, and not checked; the
 * caller owns the array. */
int referrers_list(struct transport *t, const char *digest, json_t **entries, bool *has_api,
		   struct error *err);

/* True where the manifest says so itself. */
bool referrer_is_about(const struct manifest *manifest, const char *digest);

/* "sha256-HEX" and `suffix`, without which it is the tag of that index; the caller frees it. */
char *referrers_tag(const char *digest, const char *suffix);

/* Carry along whatever refers to the manifests of the plan, and to what does, and so on, with the
 * tags of cosign's: .sig, .att, .sbom. parallel: blobs at a time; 0: the default. Nothing at the
 * destination is lost. referrers-copy.c. */
int referrers_copy(struct transport *from, struct transport *to, const struct plan *plan,
		   struct http *http, size_t parallel, struct error *err);
