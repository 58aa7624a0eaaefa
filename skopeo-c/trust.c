/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/trust.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/policy.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trust_image_free(struct trust_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		signatures_free(&image->sets[i].signatures);
	free(image->sets);
	*image = (struct trust_image){ 0 };
}

void trust_image_drop_sigstore(struct trust_image *image)
{
	image->any = false;
	for (size_t i = 0; i < image->count; i++) {
		struct signatures *all = &image->sets[i].signatures, kept = { 0 };

		for (size_t j = 0; j < all->count; j++) {
			if (all->items[j].kind != SIGNATURE_SIMPLE) {
				signature_free(&all->items[j]);
				continue;
			}
			kept.bytes += all->items[j].length;
			all->items[kept.count++] = all->items[j];
		}
		all->count = kept.count;
		all->bytes = kept.bytes;
		image->any = image->any || kept.count > 0;
	}
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
		cleanup_signature struct signature copy = signature_copy(&found->items[i]);
		if (signatures_add(signatures, &copy, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the policy's view of the source ---- */

static void add_scopes(const struct transport *from, struct strings *scopes)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (from->class->add_scopes) {
		from->class->add_scopes(from, scopes);
		return;
	}
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
	const json_t *requirements = requirements_for(trust, from);

	if (policy_rejects_all(requirements))
		error_set(err, ERROR_DENIED,
			  "%s is refused by the policy: no image of that name is accepted",
			  from->name);
	else if (trust->options->require_signed && !policy_wants_signatures(requirements))
		error_set(
			err, ERROR_DENIED,
			"the policy accepts %s without a signature, which --require-signed forbids",
			from->name);
	else
		return 0;
	return error_subject(err, from->name);
}

/* ---- reading ---- */

static bool has_set(const struct trust_image *image, const char *digest)
{
	for (size_t i = 0; i < image->count; i++)
		if (strcmp(image->sets[i].digest, digest) == 0)
			return true;
	return false;
}

/* Read the signatures of a manifest, unless they have been. */
static int read_signatures(struct transport *from, const struct manifest *manifest, bool bundles,
			   struct trust_image *image, struct error *err)
{
	if (!from->class->get_signatures || has_set(image, manifest->digest))
		return 0;
	image->sets = xgrow(image->sets, image->count, sizeof *image->sets);
	struct trust_set *set = &image->sets[image->count++];
	*set = (struct trust_set){ 0 };
	memcpy(set->digest, manifest->digest, sizeof set->digest);
	return from->class->get_signatures(from, manifest, bundles, &set->signatures, err);
}

/* Those that are copied. */
static int read_planned(struct transport *from, const struct plan *plan, bool bundles,
			struct trust_image *image, struct error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		const char *digest = plan->manifests[i].digest;

		if (read_signatures(from, &plan->manifests[i], bundles, image, err) < 0)
			return -1;
		image->any = image->any || signatures_of(image, digest)->count > 0;
	}
	return 0;
}

/* An index that is signed may not be made smaller. */
static int check_reduced(struct transport *from, const struct plan *plan, bool bundles,
			 struct trust_image *image, struct error *err)
{
	if (!plan->is_reduced)
		return 0;
	if (read_signatures(from, &plan->left[0], bundles, image, err) < 0)
		return -1;
	if (signatures_of(image, plan->left[0].digest)->count == 0)
		return 0;
	error_set(err, ERROR_FAILED, "%s: the index is signed, and would name only a part of it",
		  from->name);
	return error_hint(err, "--remove-list-signatures leaves its signature behind");
}

static void drop_of_indexes(struct trust_image *image, const struct plan *plan)
{
	image->any = false;
	for (size_t i = 0; i < image->count; i++) {
		struct trust_set *set = &image->sets[i];

		for (size_t k = 0; k < plan->count; k++)
			if (plan->manifests[k].is_index &&
			    strcmp(plan->manifests[k].digest, set->digest) == 0)
				signatures_free(&set->signatures);
		image->any = image->any || set->signatures.count > 0;
	}
}

bool trust_is_indifferent(const struct trust *trust, const struct transport *from)
{
	struct signature_rules rules = { 0 };
	struct error ignored;

	if (!policy_accepts_all(requirements_for(trust, from)) || trust->gpg || trust->key)
		return false;
	/* sigstore's would have to be read whole to be found */
	return trust->options->remove_signatures || !from->class->signature_rules ||
	       (from->class->signature_rules(from, &rules, &ignored) == 0 && !rules.attachments);
}

int trust_finds_signatures(const struct trust *trust, struct transport *from, const char *digest,
			   struct error *err)
{
	cleanup_signatures struct signatures found = { 0 };
	struct manifest manifest = { 0 };

	if (trust->options->remove_signatures || !from->class->get_signatures)
		return 0;
	snprintf(manifest.digest, sizeof manifest.digest, "%s", digest);
	if (from->class->get_signatures(from, &manifest, false, &found, err) < 0)
		return -1;
	return found.count > 0;
}

/* ---- checking ---- */

struct check {
	struct trust *trust;
	struct transport *from;
	const struct plan *plan;
	struct trust_image *image;
	const json_t *requirements;
	const struct reference *reference; /* or NULL */
	struct signature_rules rules;
	json_t *judged; /* an object: for a digest, whether it is allowed */
};

static int judge(const struct check *check, const struct manifest *manifest, struct error *err)
{
	const struct policy_case image = {
		.name = check->from->name,
		.manifest = manifest,
		.reference = check->reference,
		.signatures = signatures_of(check->image, manifest->digest),
		.accept_unnamed = check->rules.accept_unnamed,
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

static int judge_with_indexes(const struct check *check, const struct manifest *manifest,
			      struct error *err);

/* Whether an index that names the manifest is allowed. Those that are not copied have not been
 * asked for their signatures yet. */
static bool is_vouched_for(const struct check *check, const struct manifest *manifest)
{
	const struct plan *plan = check->plan;
	bool bundles = policy_wants_sigstore(check->requirements);
	struct error ignored;

	for (size_t i = 0; i < plan->count; i++)
		if (names(&plan->manifests[i], manifest->digest) &&
		    judge_with_indexes(check, &plan->manifests[i], &ignored) == 0)
			return true;
	for (size_t i = 0; i < plan->left_count; i++)
		if (names(&plan->left[i], manifest->digest) &&
		    read_signatures(check->from, &plan->left[i], bundles, check->image, &ignored) ==
			    0 &&
		    judge_with_indexes(check, &plan->left[i], &ignored) == 0)
			return true;
	return false;
}

/* A digest covers what it names: no index names itself, so this ends; each is judged but once. */
static int judge_with_indexes(const struct check *check, const struct manifest *manifest,
			      struct error *err)
{
	const json_t *known = json_object_get(check->judged, manifest->digest);
	bool is_allowed = json_is_true(known);

	if (known && !is_allowed)
		return error_set(err, ERROR_DENIED, "%s is refused by the policy: %s",
				 check->from->name, manifest->digest);
	if (!known) {
		is_allowed = judge(check, manifest, err) == 0 ||
			     (policy_wants_signatures(check->requirements) &&
			      is_vouched_for(check, manifest));
		json_object_set_new(check->judged, manifest->digest, json_boolean(is_allowed));
	}
	return is_allowed ? 0 : -1;
}

static int judge_all(const struct check *check, struct error *err)
{
	size_t images = 0;

	for (size_t i = 0; i < check->plan->count; i++) {
		if (check->plan->manifests[i].is_index)
			continue;
		images++;
		if (judge_with_indexes(check, &check->plan->manifests[i], err) < 0)
			return -1;
	}
	/* an index whose images stay behind stands for itself */
	return images > 0 ? 0 : judge(check, plan_top(check->plan), err);
}

static int check_plan(struct trust *trust, struct transport *from, const struct plan *plan,
		      struct trust_image *image, struct error *err)
{
	const json_t *requirements = requirements_for(trust, from);
	bool wanted = policy_wants_signatures(requirements);
	bool bundles = policy_wants_sigstore(requirements),
	     carry = !trust->options->remove_signatures;
	cleanup_reference struct reference reference = { 0 };
	json_auto_t *judged = json_object();
	struct error ignored;
	struct check check = { .trust = trust,
			       .from = from,
			       .plan = plan,
			       .image = image,
			       .requirements = requirements,
			       .judged = judged };

	if ((wanted || carry) && read_planned(from, plan, bundles, image, err) < 0)
		return -1;
	if (carry && !trust->options->remove_list_signatures &&
	    check_reduced(from, plan, bundles, image, err) < 0)
		return -1;
	if (from->class->identity == IDENTITY_REFERENCE && from->reference && from->is_named &&
	    reference_parse(from->reference, &reference, &ignored) == 0)
		check.reference = &reference;
	if (wanted && from->class->signature_rules &&
	    from->class->signature_rules(from, &check.rules, err) < 0)
		return -1;
	if (judge_all(&check, err) < 0) {
		if (bundles && from->class->signature_rules && !check.rules.attachments)
			error_hint(err, "use-sigstore-attachments: true in registries.d lets them "
					"be looked for");
		else if (wanted && !from->class->get_signatures)
			error_hint(err, "none are kept there: a policy for it can only accept or "
					"reject");
		return -1;
	}
	if (!carry)
		trust_image_free(image);
	else if (trust->options->remove_list_signatures)
		drop_of_indexes(image, plan);
	return 0;
}

int trust_check(struct trust *trust, struct transport *from, const struct plan *plan,
		struct trust_image *image, struct error *err)
{
	cleanup_manifest struct manifest kept = { 0 };
	const struct plan alone = { .manifests = &kept, .count = 1, .image = &kept };

	if (!from->class->kept_manifest)
		return check_plan(trust, from, plan, image, err);
	return from->class->kept_manifest(from, &kept, err) < 0
		       ? -1
		       : check_plan(trust, from, &alone, image, err);
}
