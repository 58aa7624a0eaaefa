/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifests the tags of a repository stand for: one HEAD each, several at once. */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "skopeo-c/registry.h"

#include <jansson.h>
#include <stdbool.h>

struct tag_answer {
	const char *tag;	  /* borrowed from the list */
	bool is_gone;		  /* meanwhile */
	bool is_image;		  /* the registry says it is one image and no index */
	char digest[DIGEST_SIZE]; /* "" where the registry does not say */
};

/* Ask for every tag of the list, an array of strings; answers has a place for each.
 * ERROR_INTEGRITY for a string that is no tag. */
int tag_survey(struct registry *registry, const json_t *tags, struct tag_answer *answers,
	       struct error *err);

/* Prepare a call about a manifest of the repository: by its tag or digest. */
void tag_survey_call(struct registry_call *call, struct registry *registry, const char *method,
		     const char *wanted);
