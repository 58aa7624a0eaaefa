/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest becomes when the kind of manifests, or the layers, change. Pure. */
#pragma once
#include "skopeo-c/manifest.h"
#include "skopeo-c/recode.h"

/* The manifest of an image or index in the format MANIFEST_OCI or MANIFEST_DOCKER (NULL: the one it
 * has). layer: what became of the layer of this digest, or NULL where it stays. of_index: what
 * became of the manifest of this digest, or NULL. ERROR_UNSUPPORTED for what the format cannot
 * say. */
struct successors {
	const struct recoded *(*layer)(const void *context, const char *digest);
	const struct manifest *(*of_index)(const void *context, const char *digest);
	const void *context;
	enum compression way; /* of those layers */
};

int convert_manifest(const struct manifest *old, const char *format,
		     const struct successors *successors, const char *what,
		     struct manifest *manifest, struct error *err);
