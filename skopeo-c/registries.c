/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration means for a reference. */
#include "skopeo-c/registries.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"

#include <stdlib.h>
#include <string.h>

static bool is_boundary(char c)
{
	return c == '\0' || c == ':' || c == '/' || c == '@';
}

/* How many bytes of the name a prefix matches; 0 for none. */
static size_t match(const char *name, const char *prefix)
{
	size_t length = strlen(prefix), host = strcspn(name, "/");

	if (!registries_is_wildcard(prefix))
		return strncmp(name, prefix, length) == 0 && is_boundary(name[length]) ? length : 0;
	/* the dot belongs to what must match, and something must stand before it */
	prefix++;
	length--;
	for (size_t at = 1; at + length <= host; at++)
		if (strncmp(name + at, prefix, length) == 0 && is_boundary(name[at + length]))
			return at + length;
	return 0;
}

/* The registry with the longest prefix, of which "*" is no part. *matched: how much of the name
 * that prefix stands for, which is the same for all "*." that match. */
static const json_t *best_registry(const json_t *registries, const char *name, size_t *matched)
{
	const json_t *registry, *best = NULL;
	size_t best_length = 0;
	const char *prefix;

	*matched = 0;
	json_object_foreach ((json_t *)registries, prefix, registry) {
		size_t end = match(name, prefix),
		       length = strlen(prefix) - registries_is_wildcard(prefix);

		if (end > 0 && length > best_length) {
			*matched = end;
			best_length = length;
			best = registry;
		}
	}
	return best;
}

static bool may_serve(const json_t *registry, const json_t *mirror, bool by_digest)
{
	const char *use = json_text(mirror, "pull-from-mirror", "all");

	if (json_is_true(json_object_get(registry, "mirror-by-digest-only")))
		use = "digest-only";
	return strcmp(use, "all") == 0 || strcmp(use, by_digest ? "digest-only" : "tag-only") == 0;
}

static struct endpoint *add_endpoint(struct route *route)
{
	route->endpoints = xgrow(route->endpoints, route->count, sizeof *route->endpoints);
	route->endpoints[route->count] = (struct endpoint){ 0 };
	return &route->endpoints[route->count++];
}

static int refuse_blocked(const json_t *registry, const char *name, struct error *err)
{
	if (!json_is_true(json_object_get(registry, "blocked")))
		return 0;
	error_set(err, ERROR_DENIED, "%s is blocked by %s", name,
		  json_text(registry, DEFINED_AT, ""));
	return error_subject(err, name);
}

/* The registry of a name, NULL where nothing is configured for it, unless it is blocked. */
static int find_registry(const json_t *registries, const char *name, const json_t **registry,
			 struct error *err)
{
	size_t ignored;

	*registry = best_registry(registries, name, &ignored);
	return refuse_blocked(*registry, name, err);
}

/* What a registry or mirror makes of the name: its location replaces the first `matched` bytes,
 * unless these are none. The caller frees it. */
static char *move_name(const json_t *place, const char *name, size_t matched)
{
	const char *location = matched > 0 ? json_text(place, "location", NULL) : NULL;

	return location ? xasprintf("%s%s", location, name + matched) : xstrdup(name);
}

/* Add the place of that name. */
static int add_place(struct route *route, const json_t *place, const char *moved, bool is_mirror,
		     struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(moved, &reference, err) < 0) {
		err->kind = ERROR_INTEGRITY;
		return error_prefix(err, "%s", json_text(place, DEFINED_AT, moved));
	}
	struct endpoint *endpoint = add_endpoint(route);
	endpoint->registry = steal_ptr(&reference.registry);
	endpoint->repository = steal_ptr(&reference.repository);
	endpoint->wanted =
		reference.digest ? steal_ptr(&reference.digest) : steal_ptr(&reference.tag);
	endpoint->is_mirror = is_mirror;
	endpoint->insecure = json_is_true(json_object_get(place, "insecure"));
	return 0;
}

static int add_mirror(const json_t *registries, const json_t *mirror, const char *name,
		      size_t matched, struct route *route, struct error *err)
{
	cleanup_free char *moved = move_name(mirror, name, matched);
	const json_t *registry;
	struct error blocked;

	if (find_registry(registries, moved, &registry, &blocked) == 0)
		return add_place(route, mirror, moved, true, err);
	log_message(LOG_LEVEL_WARN, "mirror %s: %s", json_text(mirror, "location", ""),
		    blocked.message);
	return 0;
}

/* Add the registry itself. Its name may be blocked, or where that leads to: its mirrors serve all
 * the same. */
static int add_origin(const json_t *registries, const json_t *registry, const char *name,
		      size_t matched, struct route *route, struct error *err)
{
	cleanup_free char *moved = move_name(registry, name, matched);
	const json_t *there;
	struct error blocked;
	bool is_blocked = refuse_blocked(registry, name, &blocked) < 0 ||
			  find_registry(registries, moved, &there, &blocked) < 0;

	if (is_blocked && route->count == 0) {
		*err = blocked;
		return -1;
	}
	if (add_place(route, registry, moved, false, err) < 0)
		return -1;
	if (is_blocked)
		route->endpoints[route->count - 1].blocked = xstrdup(blocked.message);
	return 0;
}

static int add_places(const json_t *registries, const json_t *registry, const char *name,
		      size_t matched, bool by_digest, struct route *route, struct error *err)
{
	const json_t *mirror;
	size_t i;

	json_array_foreach (json_object_get(registry, "mirror"), i, mirror) {
		if (may_serve(registry, mirror, by_digest) &&
		    add_mirror(registries, mirror, name, matched, route, err) < 0)
			return -1;
	}
	return add_origin(registries, registry, name, matched, route, err);
}

static int add_destination(const json_t *registry, const char *name, struct route *route,
			   struct error *err)
{
	return refuse_blocked(registry, name, err) < 0
		       ? -1
		       : add_place(route, registry, name, false, err);
}

int registries_find(const json_t *registries, const struct reference *reference,
		    bool is_destination, struct route *route, struct error *err)
{
	cleanup_free char *name = reference_text(reference);
	cleanup_route struct route found = { 0 };
	size_t matched;
	const json_t *registry = best_registry(registries, name, &matched);

	int status = is_destination ? add_destination(registry, name, &found, err)
				    : add_places(registries, registry, name, matched,
						 reference->digest, &found, err);
	if (status < 0)
		return -1;
	*route = found;
	found = (struct route){ 0 };
	return 0;
}

void route_free(struct route *route)
{
	for (size_t i = 0; i < route->count; i++) {
		free(route->endpoints[i].registry);
		free(route->endpoints[i].repository);
		free(route->endpoints[i].wanted);
		free(route->endpoints[i].blocked);
	}
	free(route->endpoints);
	*route = (struct route){ 0 };
}

/* What the files say when the command first needs it, borrowed: it may ask for thousands of images.
 */
static const json_t *configured(struct error *err)
{
	static json_t *registries;

	if (!registries)
		registries = registries_load(err);
	return registries;
}

int registries_route(const struct reference *reference, bool is_destination, struct route *route,
		     struct error *err)
{
	const json_t *registries = configured(err);

	return registries ? registries_find(registries, reference, is_destination, route, err) : -1;
}

int registries_judge(const char *name, bool *insecure, struct error *err)
{
	const json_t *registries = configured(err);
	const json_t *registry;

	if (!registries || find_registry(registries, name, &registry, err) < 0)
		return -1;
	*insecure = json_is_true(json_object_get(registry, "insecure"));
	return 0;
}

int registries_expand(const char *name, struct strings *candidates, struct error *err)
{
	json_auto_t *registries = registries_load(err);

	return registries && registries_load_noted(registries, err) == 0
		       ? registries_expand_with(registries, name, candidates, err)
		       : -1;
}

int registries_credential_helpers(struct strings *names, struct error *err)
{
	const json_t *registries = configured(err);
	const json_t *name;
	size_t i;

	if (!registries)
		return -1;
	json_array_foreach (json_object_get(registries, CREDENTIAL_HELPERS), i, name) {
		strings_add(names, json_string_value(name));
	}
	if (names->count == 0)
		strings_add(names, CREDENTIAL_FILES);
	return 0;
}
