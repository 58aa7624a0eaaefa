/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_doubt.h"

#include "skopeo-c/docker.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/registry_pool.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/trust.h"

#include <stdio.h>

static bool has_all(struct transport *to, const struct trust_set *set)
{
	cleanup_signatures struct signatures there = { 0 };
	struct manifest manifest = { 0 };
	struct error ignored;

	if (set->signatures.count == 0)
		return true;
	snprintf(manifest.digest, sizeof manifest.digest, "%s", set->digest);
	if (!to->class->get_signatures ||
	    trust_read_destination(to, &manifest, &there, &ignored) < 0)
		return false;
	for (size_t i = 0; i < set->signatures.count; i++) {
		const struct signature *signature = &set->signatures.items[i];

		/* bundles are no part of a copy */
		if (signature->kind != SIGNATURE_BUNDLE && !signatures_have(&there, signature))
			return false;
	}
	return true;
}

static bool is_signed_alike(const struct sync_item *item, const struct copy_request *request,
			    struct http *http, const struct trust_image *signatures)
{
	const struct transport_settings settings = {
		.cli = request->cli,
		.http = http,
		.access = *request->destination_access,
		.registries_d = request->trust->options->registries_d,
	};
	cleanup_transport struct transport to = { 0 };
	cleanup_manifest struct manifest top = { 0 }; /* which a directory has to know */
	struct error ignored;
	bool has = transport_open(&to, item->destination, &settings, &ignored) == 0 &&
		   to.class->get_manifest(&to, NULL, &top, &ignored) == 0;

	for (size_t i = 0; i < signatures->count && has; i++)
		has = has_all(&to, &signatures->sets[i]);
	return has;
}

static bool is_settled(const struct sync_list *list, const struct sync_item *item,
		       const struct copy_request *request, struct http *http,
		       struct registry_pool *pool)
{
	const struct transport_settings settings = {
		.cli = request->cli,
		.http = http,
		.access = list->repositories[item->repository].access,
		.registries_d = request->trust->options->registries_d,
		.pool = pool,
	};
	const struct plan_known nothing = { 0 };
	cleanup_transport struct transport from = { 0 };
	cleanup_plan struct plan plan = { 0 };
	cleanup_trust_image struct trust_image signatures = { 0 };
	struct trust *trust = request->trust;
	struct error ignored;

	if (transport_open(&from, item->source, &settings, &ignored) < 0)
		return false;
	/* a directory's signatures are known once its manifest is, which costs nothing */
	if (transport_is_docker(&from) && trust_is_indifferent(trust, &from) &&
	    trust_finds_signatures(trust, &from, item->digest, &ignored) == 0)
		return true;
	return trust_admit(trust, &from, &ignored) == 0 &&
	       plan_make(&from, &nothing, &request->choice, &plan, &ignored) == 0 &&
	       trust_check(trust, &from, &plan, &signatures, &ignored) == 0 &&
	       (!signatures.any || is_signed_alike(item, request, http, &signatures));
}

void sync_doubt(struct sync_list *list, const struct copy_request *request, struct http *http)
{
	cleanup_registry_pool struct registry_pool pool = { 0 };
	size_t repository = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct sync_item *item = &list->items[i];

		if (item->repository != repository) /* which has an access of its own */
			registry_pool_free(&pool);
		repository = item->repository;
		if (item->state == SYNC_UNCHANGED && !is_settled(list, item, request, http, &pool))
			item->state = SYNC_CHANGED;
	}
}
