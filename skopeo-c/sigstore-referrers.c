/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore's bundles among the referrers of an image (distribution-spec, "Listing Referrers"),
 * which is where cosign 3 puts them. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/challenge.h"
#include "skopeo-c/signature-registry.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 16 };

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

static bool is_about(const struct manifest *manifest, const char *digest)
{
	return strcmp(json_text(json_object_get(manifest->json, "subject"), "digest", ""),
		      digest) == 0;
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
		signature = (struct signature){ 0 };
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
		if (!manifest.is_index && is_about(&manifest, digest) &&
		    add_bundles(t, &manifest, signatures, err) < 0)
			return -1;
	}
	return 0;
}

/* For registries without the API the list is an index under a tag. */
static int get_by_tag(struct transport *t, const char *digest, struct signatures *signatures,
		      struct error *err)
{
	cleanup_free char *tag =
		xasprintf("%.*s-%s", (int)strcspn(digest, ":"), digest, digest_hex(digest));
	cleanup_manifest struct manifest index = { 0 };
	size_t looked_at = 0;

	if (docker_get_tagged(t, tag, &index, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	return add_entries(t, digest, json_object_get(index.json, "manifests"), signatures,
			   &looked_at, err);
}

/* One page of the list. *next: the target of the next one, or NULL. 1: there is no such API. */
static int get_page(struct transport *t, char *target, json_t **list, char **next,
		    struct error *err)
{
	cleanup_registry_call struct registry_call call = { 0 };

	registry_call_init(&call, docker_registry(t), "GET", target);
	strings_add(&call.request.headers, "Accept: " MANIFEST_OCI_INDEX);
	if (registry_call_run(&call, err) < 0)
		return -1;
	if (call.request.status / 100 == 4)
		return 1;
	if (call.request.status != 200)
		return registry_refused(&call, "the referrers", err);
	*list = json_parse(call.request.answer ? call.request.answer : "",
			   call.request.answer_length, "the referrers", err);
	if (!*list)
		return -1;
	const char *link = http_header(&call.request, "link", 0);
	cleanup_free char *reference = link ? link_next(link) : NULL;
	cleanup_free char *url = reference ? http_resolve(call.request.url, reference) : NULL;
	/* the list is the registry's own */
	*next = url && http_same_origin(url, call.registry->base) ? steal_ptr(&url) : NULL;
	return 0;
}

int sigstore_referrers_get(struct transport *t, const char *digest, struct signatures *signatures,
			   struct error *err)
{
	char *target = xasprintf("/v2/%s/referrers/%s", docker_registry(t)->repository, digest);
	size_t looked_at = 0;

	for (int page = 0; target; page++) {
		json_auto_t *list = NULL;
		char *next = NULL;

		if (page == PAGES_MAX) {
			free(target);
			return error_set(err, ERROR_LIMIT, "%s has too many referrers", t->name);
		}
		int status = get_page(t, target, &list, &next, err);
		if (status == 1 && page == 0)
			return get_by_tag(t, digest, signatures, err);
		if (status == 0)
			status = add_entries(t, digest, json_object_get(list, "manifests"),
					     signatures, &looked_at, err);
		target = next;
		if (status != 0) {
			free(target);
			return status < 0
				       ? error_prefix(err, "%s", t->name)
				       : error_set(err, ERROR_FAILED,
						   "%s: the list of referrers breaks off", t->name);
		}
	}
	return 0;
}
