/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image meets the requirements of a policy. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct manifest;
struct policy_keys;
struct reference;
struct signatures;

/* Keeps the keys that requirements name, once read. Zero-initialise it; it must not outlive the
 * policy. */
struct policy_judge {
	struct policy_keys *keys;
	size_t count;
};

void policy_judge_free(struct policy_judge *judge);

/* The image to be judged. */
struct policy_case {
	const char *name; /* for errors */
	const struct manifest *manifest;
	const struct reference *reference; /* what was asked for; NULL where it has no such name */
	const struct signatures *signatures;
	/* a bundle that names no image, only a digest, is taken for this image's (registries.d) */
	bool accept_unnamed;
};

/* What has to be known of an image for a list of requirements. */
bool policy_rejects_all(const json_t *requirements);
bool policy_accepts_all(const json_t *requirements);
bool policy_wants_signatures(const json_t *requirements);
bool policy_wants_sigstore(const json_t *requirements);

/* 0 when all requirements are met. ERROR_DENIED with the reason for each signature that was not
 * taken; ERROR_UNSUPPORTED where a requirement is of a kind that we cannot check. */
int policy_judge_case(struct policy_judge *judge, const json_t *requirements,
		      const struct policy_case *image, struct error *err);
