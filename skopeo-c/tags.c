/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tags.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/challenge.h"
#include "skopeo-c/registry_missing.h"

#include <string.h>

enum {
	PAGE_MAX = 64 << 20, /* bytes: some registries give all tags in one answer */
	PAGES_MAX = 10000,
	NAMES_MAX = 2000000
};

static void ask_page(struct tags *tags, char *target)
{
	registry_call_free(&tags->call);
	registry_call_init(&tags->call, tags->registry, "GET", target);
	tags->call.request.answer_max = PAGE_MAX;
	json_object_set_new(tags->pages, target, json_true());
	registry_call_start(&tags->call);
}

static void start(struct tags *tags, struct registry *registry, const char *key, char *target)
{
	*tags = (struct tags){
		.registry = registry, .key = key, .list = json_array(), .pages = json_object()
	};
	ask_page(tags, target);
}

void tags_start(struct tags *tags, struct registry *registry)
{
	start(tags, registry, "tags", xasprintf("/v2/%s/tags/list", registry->repository));
}

void tags_start_catalog(struct tags *tags, struct registry *registry)
{
	start(tags, registry, "repositories", xstrdup("/v2/_catalog"));
}

static bool is_catalog(const struct tags *tags)
{
	return strcmp(tags->key, "repositories") == 0;
}

/* All tags at one of the places for a repository. */
static json_t *list_at(const struct endpoint *endpoint, const struct reference *reference,
		       const struct access *access, struct http *http, struct error *err)
{
	struct registry registry = { 0 };
	cleanup_tags struct tags tags = { 0 };
	json_t *list = NULL;

	if (registry_open(http, access, endpoint, reference->registry, "pull", &registry, err) < 0)
		return NULL;
	tags_start(&tags, &registry);
	int status = tags_wait(&tags, err);
	if (status == 0)
		list = json_incref(tags.list);
	else if (err->kind == ERROR_NOT_FOUND)
		(void)registry_missing(&tags.call, err);
	tags_free(&tags);
	registry_close(&registry);
	return list;
}

json_t *tags_list(const struct reference *reference, const struct access *access, struct http *http,
		  struct error *err)
{
	cleanup_route struct route route = { 0 };

	if (registries_route(reference, false, &route, err) < 0)
		return NULL;
	const struct endpoint *own = &route.endpoints[route.count - 1];
	for (const struct endpoint *mirror = route.endpoints; own->blocked && mirror < own;
	     mirror++) {
		json_t *list = list_at(mirror, reference, access, http, err);

		if (list || cli_interrupted())
			return list;
		log_message(LOG_LEVEL_WARN, "mirror %s: %s", mirror->registry, err->message);
	}
	return list_at(own, reference, access, http, err);
}

void tags_free(struct tags *tags)
{
	registry_call_free(&tags->call);
	json_decref(tags->list);
	json_decref(tags->pages);
	*tags = (struct tags){ 0 };
}

/* Whether a name belongs to the list. A tag becomes a part of paths and of names. Nexus lists null,
 * too, and Artifactory digests: these are passed over, as by skopeo. */
static int check_name(const struct tags *tags, const json_t *name, const char *what,
		      struct error *err)
{
	const char *text = json_is_null(name) ? "" : json_string_value(name);

	if (!text)
		return error_set(err, ERROR_INTEGRITY, "%s: not a list of %s", what, tags->key);
	if (!text[0] || (!is_catalog(tags) && digest_is_valid(text)))
		return 0;
	if (is_catalog(tags) || reference_is_tag(text))
		return 1;
	return error_set(err, ERROR_INTEGRITY, "%s: the registry names a tag that is none: \"%s\"",
			 what, text);
}

static int add_page(struct tags *tags, const char *what, struct error *err)
{
	const struct http_request *answer = &tags->call.request;
	json_auto_t *page = answer->answer
				    ? json_parse(answer->answer, answer->answer_length, what, err)
				    : json_object();
	const json_t *list, *name;
	size_t i;

	if (!page)
		return -1;
	list = json_object_get(page, tags->key);
	if (!json_is_object(page) || (list && !json_is_array(list) && !json_is_null(list)))
		return error_set(err, ERROR_INTEGRITY, "%s: not a list of %s", what, tags->key);
	json_array_foreach (list, i, name) {
		int is_name = check_name(tags, name, what, err);

		if (is_name < 0)
			return -1;
		if (is_name == 0)
			continue;
		if (json_array_size(tags->list) == NAMES_MAX)
			return error_set(err, ERROR_LIMIT, "%s: more than %d", what, NAMES_MAX);
		json_array_append(tags->list, (json_t *)name);
	}
	return 0;
}

int tags_next_page(const struct registry_call *call, const char *what, char **url,
		   struct error *err)
{
	cleanup_free char *link = NULL;
	const char *value;

	*url = NULL;
	/* it is one of several where whoever stands before the registry adds his own */
	for (size_t n = 0; !link && (value = http_header(&call->request, "link", n)); n++)
		link = link_next(value);
	if (!link)
		return 0;
	cleanup_free char *next = http_resolve(call->request.url, link);
	if (!next || !http_same_origin(next, call->registry->base))
		return error_set(err, ERROR_INTEGRITY, "%s: the next page is not at the registry",
				 what);
	*url = steal_ptr(&next);
	return 0;
}

/* Ask for the next page. 1 when there is none. */
static int next_page(struct tags *tags, const char *what, struct error *err)
{
	cleanup_free char *url = NULL;

	if (tags_next_page(&tags->call, what, &url, err) < 0)
		return -1;
	if (!url)
		return 1;
	if (json_object_get(tags->pages, url))
		return error_set(err, ERROR_INTEGRITY, "%s: the pages go in a circle", what);
	if (json_object_size(tags->pages) == PAGES_MAX)
		return error_set(err, ERROR_LIMIT, "%s: more than %d pages", what, PAGES_MAX);
	ask_page(tags, steal_ptr(&url));
	return 0;
}

int tags_poll(struct tags *tags, struct error *err)
{
	int status = registry_call_poll(&tags->call, err);
	const struct registry *registry = tags->registry;
	cleanup_free char *what =
		xasprintf("the %s of %s%s%s", tags->key, registry->name,
			  registry->repository[0] ? "/" : "", registry->repository);

	if (status <= 0)
		return status;
	if (tags->call.request.status == 404 && is_catalog(tags))
		return error_set(err, ERROR_UNSUPPORTED, "%s does not list its repositories",
				 registry->name);
	if (tags->call.request.status == 404) {
		error_set(err, ERROR_NOT_FOUND, "no repository %s in %s", registry->repository,
			  registry->name);
		return error_subject(err, registry->repository);
	}
	if (tags->call.request.status != 200)
		return registry_refused(&tags->call, what, err);
	if (add_page(tags, what, err) < 0)
		return -1;
	return next_page(tags, what, err);
}

int tags_wait(struct tags *tags, struct error *err)
{
	int status;

	while ((status = tags_poll(tags, err)) == 0)
		if (http_pump(tags->registry->http, HTTP_POLL_MS, err) < 0)
			return -1;
	return status < 0 ? -1 : 0;
}
