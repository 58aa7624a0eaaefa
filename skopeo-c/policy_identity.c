/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images as policies see them: scopes, and the names that signatures are for. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/reference.h"
#include "skopeo-c/policy.h"

#include <stdlib.h>
#include <string.h>

/* ---- scopes ---- */

/* The text, then what stands before each "/" of it, from the last one. The text's own first
 * character may be one. */
static void add_parents(const char *text, struct strings *scopes)
{
	cleanup_free char *name = xstrdup(text);

	while (name[0]) {
		char *slash = strrchr(name, '/');

		strings_add(scopes, name);
		if (!slash)
			break;
		*slash = '\0';
	}
}

void policy_scopes_of_path(const char *path, struct strings *scopes)
{
	add_parents(path, scopes);
}

void policy_scopes_of_reference(const struct reference *reference, struct strings *scopes)
{
	cleanup_free char *text = reference_text(reference), *name = reference_name(reference);
	cleanup_free char *host = xstrndup(name, strcspn(name, ":/"));

	if (strcmp(text, name) != 0)
		strings_add(scopes, text);
	add_parents(name, scopes);
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.'))
		strings_addf(scopes, "*%s", dot);
}

/* ---- identities ---- */

static bool is_exact(const struct reference *reference)
{
	return reference->tag || reference->digest;
}

static bool has_same_name(const struct reference *one, const struct reference *other)
{
	return strcmp(one->registry, other->registry) == 0 &&
	       strcmp(one->repository, other->repository) == 0;
}

static bool is_same(const struct reference *one, const struct reference *other)
{
	cleanup_free char *one_text = reference_text(one), *other_text = reference_text(other);

	return is_exact(one) && is_exact(other) && strcmp(one_text, other_text) == 0;
}

/* The same reference; or, for an image asked for by its digest, the same repository: the digest
 * itself is compared with the manifest. */
static bool is_same_or_repository(const struct reference *intended,
				  const struct reference *signed_for)
{
	if (!intended->tag && intended->digest)
		return is_exact(signed_for) && has_same_name(intended, signed_for);
	return is_same(intended, signed_for);
}

bool policy_is_prefix(const char *text)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_free char *inside = xasprintf("%s/x", text);
	struct error ignored;

	return reference_parse(inside, &reference, &ignored) == 0 && !is_exact(&reference);
}

/* The reference with `prefix` at its beginning, up to a "/" or its end, replaced; as it is where it
 * does not begin so. False when the result is no full reference. */
static bool remap(const json_t *identity, const struct reference *intended, struct reference *ret)
{
	const char *prefix = json_text(identity, "prefix", "");
	cleanup_free char *name = reference_name(intended), *text = reference_text(intended);
	size_t length = strlen(prefix);
	struct error ignored;

	if (strncmp(name, prefix, length) != 0 || (name[length] != '\0' && name[length] != '/'))
		return reference_parse(text, ret, &ignored) == 0;
	cleanup_free char *mapped =
		xasprintf("%s%s", json_text(identity, "signedPrefix", ""), text + length);
	if (reference_parse(mapped, ret, &ignored) < 0)
		return false;
	/* a short name would mean another registry than it says */
	cleanup_free char *full = reference_text(ret);
	return strcmp(full, mapped) == 0;
}

static bool matches_exact_reference(const json_t *identity, const struct reference *signed_for)
{
	cleanup_reference struct reference wanted = { 0 };
	struct error ignored;

	return reference_parse(json_text(identity, "dockerReference", ""), &wanted, &ignored) ==
		       0 &&
	       is_same(&wanted, signed_for);
}

static bool matches_exact_repository(const json_t *identity, const struct reference *signed_for)
{
	cleanup_reference struct reference wanted = { 0 };
	struct error ignored;

	return reference_parse(json_text(identity, "dockerRepository", ""), &wanted, &ignored) ==
		       0 &&
	       has_same_name(&wanted, signed_for);
}

bool policy_identity_matches(const json_t *identity, const struct reference *intended,
			     const char *signed_name)
{
	const char *type = json_text(identity, "type", "matchRepoDigestOrExact");
	cleanup_reference struct reference signed_for = { 0 }, mapped = { 0 };
	struct error ignored;

	if (reference_parse(signed_name, &signed_for, &ignored) < 0)
		return false;
	if (strcmp(type, "exactReference") == 0)
		return matches_exact_reference(identity, &signed_for);
	if (strcmp(type, "exactRepository") == 0)
		return matches_exact_repository(identity, &signed_for);
	if (!intended)
		return false;
	if (strcmp(type, "matchExact") == 0)
		return is_same(intended, &signed_for);
	if (strcmp(type, "matchRepository") == 0)
		return has_same_name(intended, &signed_for);
	if (strcmp(type, "remapIdentity") == 0)
		return remap(identity, intended, &mapped) &&
		       is_same_or_repository(&mapped, &signed_for);
	return strcmp(type, "matchRepoDigestOrExact") == 0 &&
	       is_same_or_repository(intended, &signed_for);
}
