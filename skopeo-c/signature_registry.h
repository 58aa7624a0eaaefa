/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures of images in registries. GPG signatures are in a lookaside, or in the registry
 * itself where it says X-Registry-Supports-Signatures; sigstore's are attachments,
 * REPOSITORY:sha256-HEX.sig, or, as bundles, among the image's referrers. Both are looked for only
 * where registries.d allows it.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct manifest;
struct registry;
struct signatures;
struct transport;

/* Of what kinds signatures are. */
struct signature_kinds {
	bool simple, attachments;
};

/* Functions of docker://'s transport class. */
int signature_registry_get(struct transport *t, const struct manifest *manifest, bool bundles,
			   struct signatures *signatures, struct error *err);
int signature_registry_put(struct transport *t, const struct manifest *manifest, bool is_top,
			   const struct signatures *signatures, struct error *err);

/* Add the signatures that were put there and are not published yet. */
int signature_registry_get_staged(const struct transport *t, const char *digest,
				  struct signatures *signatures, struct error *err);

/* See that signatures of a manifest can be put there, as far as that can be told before. */
int signature_registry_check(const struct transport *t, const char *digest,
			     struct signature_kinds kinds, struct error *err);

/* Delete the signatures beside the registry of a manifest that is gone, which was NAME:TAG there.
 * That they stay is no reason to fail, and only told: they harm nobody. */
void signature_registry_forget(const struct registry *registry, const char *registries_d,
			       const char *name, const char *digest);

/* What registries.d says of an image. */
struct signature_rules {
	bool attachments;    /* sigstore's signatures are looked for */
	bool accept_unnamed; /* a bundle that names no image may stand for this one */
};

int signature_registry_rules(const struct transport *t, struct signature_rules *rules,
			     struct error *err);

/* sigstore_attachment.c */
int sigstore_attachment_get(struct transport *t, const char *digest, struct signatures *signatures,
			    struct error *err);
/* Add those of the list that are attachments and are not there yet. */
int sigstore_attachment_put(struct transport *t, const char *digest,
			    const struct signatures *signatures, struct error *err);

/* sigstore_referrers.c */
int sigstore_referrers_get(struct transport *t, const char *digest, struct signatures *signatures,
			   struct error *err);
