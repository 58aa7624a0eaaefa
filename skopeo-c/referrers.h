/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to a manifest: the manifests whose `subject` it is (distribution-spec, "Listing
 * Referrers"), and what cosign keeps under tags that are made of its digest. In a layout, as oras
 * makes it, the former are entries of the index without a name, and tags are names of entries.
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

/* How a place keeps them. */
struct companions {
	/* The descriptors of the manifests that refer to `digest`. They are what the place says,
	 * and not checked; the caller owns the array. *keeps_list: the
	 * list changes by itself when one is put; else it is the index under the tag
	 * referrers_tag(digest, ""). */
	int (*list)(struct transport *t, const char *digest, json_t **entries, bool *keeps_list,
		    struct error *err);
	/* ERROR_NOT_FOUND where there is no such tag. */
	int (*get)(struct transport *t, const char *tag, struct manifest *manifest,
		   struct error *err);
	/* Put a manifest that refers to another; tag: NULL for one that has a subject. Its blobs
	 * are in place. */
	int (*put)(struct transport *t, const char *tag, const struct manifest *manifest,
		   struct error *err);
};

/* Of a registry: by the API, or by the index under the tag where there is none. */
extern const struct companions companions_of_registry;

/* True where the manifest says itself what it is about. */
bool referrer_is_about(const struct manifest *manifest, const char *digest);

/* The descriptor of a referrer, as lists of them have it; the caller owns it. */
json_t *referrer_descriptor(const struct manifest *manifest);

/* Carry along whatever refers to the manifests of the plan, and to what does, and so on, with the
 * tags of cosign's: .sig, .att, .sbom. parallel: blobs at a time; 0: the default. Nothing at the
 * destination is lost. referrers_copy.c. */
int referrers_copy(struct transport *from, struct transport *to, const struct plan *plan,
		   struct http *http, size_t parallel, struct error *err);
