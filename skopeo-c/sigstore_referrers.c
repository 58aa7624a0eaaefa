/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore's bundles among the referrers of an image (distribution-spec, "Listing Referrers"),
 * which is where cosign 3 puts them. */
#include "lib/json.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/transport.h"

#include <string.h>

/* What cosign's libraries have put into lists instead of the type of the bundle. */
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"

static bool is_bundle_type(const char *type)
{
	return strncmp(type, "application/vnd.dev.sigstore.bundle", 35) == 0;
}

/* True for an entry behind which there can be a bundle: the list alone does not tell. */
static bool may_be_bundle(const json_t *entry)
{
	const char *type = json_text(entry, "artifactType", "");

	return type[0] == '\0' || strcmp(type, EMPTY_TYPE) == 0 || is_bundle_type(type);
}

/* The layers of a referrer that are bundles. */
static int add_bundles(struct transport *t, const struct manifest *manifest,
		       struct signatures *signatures, struct error *err)
{
	const json_t *layer;
	size_t i;

	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		struct blob blob;

		if (!is_bundle_type(json_text(layer, "mediaType", "")))
			continue;
		if (blob_from_json(layer, t->name, &blob, err) < 0)
			return -1;
		cleanup_signature struct signature signature = {
			.kind = SIGNATURE_BUNDLE,
			.data = transport_read_blob(t, &blob, err),
			.length = (size_t)blob.size,
		};
		if (!signature.data)
			return -1;
		if (signatures_add(signatures, &signature, err) < 0)
			return error_prefix(err, "%s", t->name);
	}
	return 0;
}

/* How many referrers may be looked at is limited as that of the signatures is. */
static int add_entries(struct transport *t, const char *digest, const json_t *list,
		       struct signatures *signatures, size_t *looked_at, struct error *err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		cleanup_manifest struct manifest manifest = { 0 };
		struct blob blob;

		if (!may_be_bundle(entry))
			continue;
		if (++*looked_at > SIGNATURES_MAX)
			return error_set(err, ERROR_LIMIT,
					 "%s has more than %d referrers that may be signatures",
					 t->name, SIGNATURES_MAX);
		if (blob_from_json(entry, t->name, &blob, err) < 0 ||
		    t->class->get_manifest(t, blob.digest, &manifest, err) < 0)
			return -1;
		if (!manifest.is_index && referrer_is_about(&manifest, digest) &&
		    add_bundles(t, &manifest, signatures, err) < 0)
			return -1;
	}
	return 0;
}

int sigstore_referrers_get(struct transport *t, const char *digest, struct signatures *signatures,
			   struct error *err)
{
	json_auto_t *entries = NULL;
	size_t looked_at = 0;
	bool has_api;

	/* where nobody may list them there may be signatures of the other kinds */
	if (companions_of_registry.list(t, digest, &entries, &has_api, err) < 0)
		return err->kind == ERROR_DENIED ? 0 : -1;
	return add_entries(t, digest, entries, signatures, &looked_at, err);
}
