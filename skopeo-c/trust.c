/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/trust.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/transport.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void trust_image_free(struct trust_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		signatures_free(&image->sets[i].signatures);
	free(image->sets);
	*image = (struct trust_image){ 0 };
}

/* The signatures of a manifest that were read; none where it is not one of those. Borrowed. */
static const struct signatures *signatures_of(const struct trust_image *image, const char *digest)
{
	static const struct signatures none;

	for (size_t i = 0; i < image->count; i++)
		if (strcmp(image->sets[i].digest, digest) == 0)
			return &image->sets[i].signatures;
	return &none;
}

int trust_image_copy(const struct trust_image *image, const char *digest,
		     struct signatures *signatures, struct error *err)
{
	const struct signatures *found = signatures_of(image, digest);

	for (size_t i = 0; i < found->count; i++) {
		if (found->items[i].kind == SIGNATURE_BUNDLE)
			continue;
		struct signature copy = signature_copy(&found->items[i]);
		if (signatures_add(signatures, &copy, err) < 0) {
			signature_free(&copy);
			return -1;
		}
	}
	return 0;
}

/* ---- the policy's view of the source ---- */

static void add_scopes(const struct transport *from, struct strings *scopes)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	switch (from->class->identity) {
	case IDENTITY_NONE:
		break;
	case IDENTITY_PATH: {
		cleanup_free char *path = from->path ? realpath(from->path, NULL) : NULL;

		if (path)
			policy_scopes_of_path(path, scopes);
		break;
	}
	case IDENTITY_REFERENCE:
		if (from->reference && reference_parse(from->reference, &reference, &ignored) == 0)
			policy_scopes_of_reference(&reference, scopes);
		break;
	}
}

/* Borrowed from the policy. */
static const json_t *requirements_for(const struct trust *trust, const struct transport *from)
{
	cleanup_free char *name = xstrndup(from->class->prefix, strcspn(from->class->prefix, ":"));
	cleanup_strings struct strings scopes = { 0 };

	add_scopes(from, &scopes);
	return policy_requirements(trust->policy, name, &scopes);
}

int trust_admit(const struct trust *trust, const struct transport *from, struct error *err)
{
	if (!policy_rejects_all(requirements_for(trust, from)))
		return 0;
	error_set(err, ERROR_DENIED,
		  "%s is refused by the policy: no image of that name is accepted", from->name);
	return error_subject(err, from->name);
}

/* ---- checking ---- */

static int read_signatures(struct transport *from, const struct plan *plan, bool bundles,
			   struct trust_image *image, struct error *err)
{
	if (!from->class->get_signatures)
		return 0;
	image->sets = xcalloc(plan->count, sizeof *image->sets);
	for (size_t i = 0; i < plan->count; i++) {
		const struct manifest *manifest = &plan->manifests[i];
		struct trust_set *set = &image->sets[image->count++];

		memcpy(set->digest, manifest->digest, sizeof set->digest);
		if (from->class->get_signatures(from, manifest, bundles, &set->signatures, err) < 0)
			return -1;
		image->any = image->any || set->signatures.count > 0;
	}
	return 0;
}

struct check {
	struct trust *trust;
	struct transport *from;
	const struct plan *plan;
	const struct trust_image *image;
	const json_t *requirements;
	const struct reference *reference; /* or NULL */
	bool accept_unnamed;
};

static int judge(const struct check *check, const struct manifest *manifest, struct error *err)
{
	const struct policy_case image = {
		.name = check->from->name,
		.manifest = manifest,
		.reference = check->reference,
		.signatures = signatures_of(check->image, manifest->digest),
		.accept_unnamed = check->accept_unnamed,
	};

	return policy_judge_case(&check->trust->judge, check->requirements, &image, err);
}

static bool names(const struct manifest *index, const char *digest)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(index->json, "manifests"), i, entry) {
		if (strcmp(json_text(entry, "digest", ""), digest) == 0)
			return true;
	}
	return false;
}

/* A manifest of the plan: allowed by itself, or because it is named in an index that stands after
 * it and is allowed. */
static int judge_planned(const struct check *check, size_t number, struct error *err)
{
	const struct plan *plan = check->plan;
	struct error ignored;

	if (judge(check, &plan->manifests[number], err) == 0)
		return 0;
	for (size_t i = number + 1; i < plan->count; i++)
		if (names(&plan->manifests[i], plan->manifests[number].digest) &&
		    judge_planned(check, i, &ignored) == 0)
			return 0;
	return -1;
}

static int judge_all(const struct check *check, struct error *err)
{
	size_t images = 0;

	for (size_t i = 0; i < check->plan->count; i++) {
		if (check->plan->manifests[i].is_index)
			continue;
		images++;
		if (judge_planned(check, i, err) < 0)
			return -1;
	}
	/* an index whose images stay behind stands for itself */
	return images > 0 ? 0 : judge(check, plan_top(check->plan), err);
}

int trust_check(struct trust *trust, struct transport *from, const struct plan *plan,
		struct trust_image *image, struct error *err)
{
	const json_t *requirements = requirements_for(trust, from);
	bool wanted = policy_wants_signatures(requirements);
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;
	struct check check = { .trust = trust,
			       .from = from,
			       .plan = plan,
			       .image = image,
			       .requirements = requirements };

	if ((wanted || !trust->options->remove_signatures) &&
	    read_signatures(from, plan, policy_wants_sigstore(requirements), image, err) < 0)
		return -1;
	if (from->class->identity == IDENTITY_REFERENCE && from->reference &&
	    reference_parse(from->reference, &reference, &ignored) == 0)
		check.reference = &reference;
	if (wanted && from->class->accepts_unnamed &&
	    from->class->accepts_unnamed(from, &check.accept_unnamed, err) < 0)
		return -1;
	if (judge_all(&check, err) < 0)
		return -1;
	if (trust->options->remove_signatures)
		trust_image_free(image);
	return 0;
}
