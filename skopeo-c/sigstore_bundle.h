/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sigstore puts beside a signature: bundles (sigstore's protobuf-specs, as cosign 3 attaches
 * them to images: a DSSE envelope around an in-toto statement), and Rekor's promise that a
 * signature is in its log.
 */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "skopeo-c/sigstore.h"

#include <jansson.h>
#include <stddef.h>

/* Check that one of the keys has signed the bundle, and that it is a signature of the manifest with
 * this digest. *name: the image that it names, the caller's to free; NULL where it names none.
 * ERROR_INTEGRITY otherwise. */
int sigstore_bundle_verify(const struct sigstore_keys *keys, const char *bundle, size_t length,
			   const char *digest, char **name, struct error *err);

/* Check that Rekor, by one of its keys, says in `promise` (the annotation of an attachment) that it
 * has logged exactly this signature (base64) by this key of the payload. */
int sigstore_rekor_verify(const struct sigstore_keys *rekor, const char *promise, EVP_PKEY *signer,
			  const char *signature, const void *payload, size_t length,
			  struct error *err);
