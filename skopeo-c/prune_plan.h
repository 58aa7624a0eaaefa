/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What prune and sync delete of a repository: tags, judged by what is known of their images. Pure.
 *
 * A tag such as cosign and the referrers' fallback make, sha256-HEX or sha256-HEX.sig, belongs to
 * the image with that digest: it is no image by itself, and goes with that one.
 */
#pragma once
#include "lib/digest.h"
#include "skopeo-c/tag_filter.h"
#include "skopeo-c/tag_survey.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct prune_image {
	char digest[DIGEST_SIZE];
	bool may_be_index;
	bool is_candidate; /* one of its tags is */
	bool is_kept;	   /* one of its tags stays */
	int64_t made;	   /* seconds since the epoch; -1: it is not known */
	json_t *needs;	   /* the digests of what an index names, an array; owned; or NULL */
};

struct prune_tag {
	const char *name; /* borrowed from the survey */
	size_t image;	  /* its number */
	bool is_candidate, is_companion, is_doomed;
};

struct prune_plan {
	struct prune_image *images;
	struct prune_tag *tags;
	size_t image_count, count;
	/* by referrers_tag() of the digest, since tags name no more of it */
	json_t *numbers;   /* of the image */
	json_t *protected; /* the kept tags that need it, an array */
};

struct prune_rules {
	const struct tag_filter *filter;
	const json_t *wanted; /* tags that stay whatever they look like, and digests: an object's
			       * keys; or NULL */
	int64_t oldest;	      /* what was made before goes; -1: age does not matter */
	long long keep;	      /* of the others, the newest images that stay; -1: none */
};

/* Begin with the answers of a survey, all with digests or gone; tags that the filter wants become
 * candidates. */
void prune_plan_make(struct prune_plan *plan, const struct tag_answer *answers, size_t count,
		     const struct prune_rules *rules);
void prune_plan_free(struct prune_plan *plan);
#define cleanup_prune_plan __attribute__((cleanup(prune_plan_free)))

/* Whether the rules ask when images were made. */
bool prune_rules_ask_age(const struct prune_rules *rules);

/* Doom the candidates whose image the rules let go; `made` of candidates is filled. What does not
 * say when it was made stays where the rules ask that. */
void prune_plan_judge(struct prune_plan *plan, const struct prune_rules *rules);

/* Note what the kept tags need, and doom the companions of images that go; `needs` of kept images
 * is filled. */
void prune_plan_protect(struct prune_plan *plan);

/* The tags that go, up to a NULL; the caller frees the array. Companions first: as long as their
 * image is there, the next time finds what this one left. */
const struct prune_tag **prune_plan_doomed(const struct prune_plan *plan);

/* The image that a tag stands for. */
const struct prune_image *prune_plan_image(const struct prune_plan *plan,
					   const struct prune_tag *tag);

/* The kept tags that need the manifest, or NULL. Borrowed. */
const json_t *prune_plan_protects(const struct prune_plan *plan, const char *digest);
