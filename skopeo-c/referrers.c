/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/referrers.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/referrers_tag.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

#include <string.h>

enum { PAGES_MAX = 16 };

bool referrer_is_about(const struct manifest *manifest, const char *digest)
{
	return strcmp(json_text(json_object_get(manifest->json, "subject"), "digest", ""),
		      digest) == 0;
}

json_t *referrer_descriptor(const struct manifest *manifest)
{
	json_t *descriptor = manifest_descriptor(manifest);
	const char *config = json_text(json_object_get(manifest->json, "config"), "mediaType", "");
	const char *type = json_text(manifest->json, "artifactType", config);
	json_t *annotations = json_object_get(manifest->json, "annotations");

	if (*type)
		json_object_set_new(descriptor, "artifactType", json_string(type));
	if (json_is_object(annotations))
		json_object_set(descriptor, "annotations", annotations);
	return descriptor;
}

static int add_entries(const struct transport *t, const json_t *page, json_t *entries,
		       struct error *err)
{
	json_array_extend(entries, json_object_get(page, "manifests"));
	if (json_array_size(entries) > REFERRERS_MAX)
		return error_set(err, ERROR_LIMIT, "%s has more than %d referrers", t->name,
				 REFERRERS_MAX);
	return 0;
}

/* For registries without the API the list is an index under a tag. */
static int get_by_tag(struct transport *t, const char *digest, json_t *entries, struct error *err)
{
	cleanup_free char *tag = referrers_tag(digest, "");
	cleanup_manifest struct manifest index = { 0 };

	if (docker_get_tagged(t, tag, &index, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	return add_entries(t, index.json, entries, err);
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
	return tags_next_page(&call, "the referrers", next, err);
}

/* 1: there is no such API. */
static int get_by_api(struct transport *t, const char *digest, json_t *entries, struct error *err)
{
	cleanup_free char *target =
		xasprintf("/v2/%s/referrers/%s", docker_registry(t)->repository, digest);

	for (int page = 0; target; page++) {
		json_auto_t *list = NULL;
		char *next = NULL;

		if (page == PAGES_MAX)
			return error_set(err, ERROR_LIMIT, "%s has too many referrers", t->name);
		int status = get_page(t, steal_ptr(&target), &list, &next, err);
		target = next;
		if (status == 1 && page == 0)
			return 1;
		if (status == 1)
			return error_set(err, ERROR_FAILED, "%s: the list of referrers breaks off",
					 t->name);
		if (status < 0)
			return error_prefix(err, "%s", t->name);
		if (add_entries(t, list, entries, err) < 0)
			return -1;
	}
	return 0;
}

static int list(struct transport *t, const char *digest, json_t **entries, bool *has_api,
		struct error *err)
{
	json_auto_t *found = json_array();
	int status = get_by_api(t, digest, found, err);

	if (status < 0 || (status == 1 && get_by_tag(t, digest, found, err) < 0))
		return -1;
	*has_api = status == 0;
	*entries = json_incref(found);
	return 0;
}

static int put(struct transport *t, const char *tag, const struct manifest *manifest,
	       struct error *err)
{
	return tag ? docker_put_tagged(t, tag, manifest, err)
		   : t->class->put_manifest(t, manifest, false, err);
}

const struct companions companions_of_registry = {
	.list = list,
	.get = docker_get_tagged,
	.put = put,
};
