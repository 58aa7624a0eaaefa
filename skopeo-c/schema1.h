/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's image manifests of schema 1 (distribution, manifest-v2-1.md), which can only be read: an
 * image that comes with one is made anew. Pure.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* ERROR_INTEGRITY unless the manifest has layers, each with its history and a valid digest. */
int schema1_check(const json_t *manifest, const char *what, struct error *err);

/* Whether a manifest of any schema is a signed one of schema 1. */
bool schema1_is_signed(const json_t *manifest);

/* What the digest of a signed manifest is of: the bytes without the signatures (JWS). NULL where it
 * is not signed or its signatures are malformed; the caller frees it. */
char *schema1_payload(const char *bytes, size_t length, const json_t *manifest,
		      size_t *payload_length);

/* Descriptors of the layers, the lowest first, without those that are empty: of unknown size, -1,
 * as Docker's gzip. all: also the empty ones. The caller owns the array. */
json_t *schema1_layers(const json_t *manifest, bool all);

/* An image configuration of what the manifest says. diff_ids: of the layers without the empty ones,
 * or NULL. The caller owns it; NULL with an error. */
json_t *schema1_config(const json_t *manifest, json_t *diff_ids, const char *what,
		       struct error *err);
