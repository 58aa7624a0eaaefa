/* SPDX-License-Identifier: Apache-2.0 */
/* Short names, without a registry: aliases, and registries to search in order. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/registries.h"

#include <stdlib.h>
#include <string.h>

/* "NAME[:TAG][@DIGEST]" where the first part of NAME is a registry. */
static bool is_full(const char *name)
{
	size_t first = strcspn(name, "/");

	return name[first] && (memchr(name, '.', first) || memchr(name, ':', first) ||
			       strncmp(name, "localhost/", 10) == 0);
}

/* Whether it is a name with neither tag nor digest. */
static bool is_repository(const char *name)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	return reference_parse(name, &reference, &ignored) == 0 && !reference.tag &&
	       !reference.digest;
}

/* An empty value takes back what an earlier file says. */
static int check_alias(const char *name, const json_t *value, const char *what, struct error *err)
{
	const char *text = json_string_value(value);

	if (!text)
		return error_set(err, ERROR_INTEGRITY, "%s: the alias \"%s\" is no text", what,
				 name);
	if (!is_repository(name) || is_full(name))
		return error_set(err, ERROR_INTEGRITY,
				 "%s: the alias \"%s\" is no short name, without registry and tag",
				 what, name);
	if (text[0] && !(is_repository(text) && is_full(text)))
		return error_set(
			err, ERROR_INTEGRITY,
			"%s: the alias \"%s\" is \"%s\" rather than REGISTRY/NAME, without "
			"tag",
			what, name, text);
	return 0;
}

static int add_aliases(json_t *aliases, const json_t *more, const char *what, struct error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)more, name, value) {
		if (check_alias(name, value, what, err) < 0)
			return -1;
		json_object_set(aliases, name, value);
	}
	return 0;
}

char *registries_trim(const char *location)
{
	size_t length = strlen(location);

	while (length > 0 && location[length - 1] == '/')
		length--;
	return xstrndup(location, length);
}

/* The registries to search, which are hosts; NULL where one is not. The caller owns the result. */
static json_t *take_search(const json_t *list, const char *what, struct error *err)
{
	json_auto_t *search = json_array();
	const json_t *value;
	size_t i;

	json_array_foreach (list, i, value) {
		if (!json_is_string(value)) {
			error_set(err, ERROR_INTEGRITY,
				  "%s: unqualified-search-registries names what is no text", what);
			return NULL;
		}
		cleanup_free char *host = registries_trim(json_string_value(value));
		cleanup_free char *name = xasprintf("%s/name", host);
		if (strchr(host, '/') || !is_repository(name)) {
			error_set(err, ERROR_INTEGRITY,
				  "%s: unqualified-search-registries has \"%s\", which is no "
				  "HOST[:PORT]",
				  what, host);
			return NULL;
		}
		json_array_append_new(search, json_string(host));
	}
	return json_incref(search);
}

static int take_mode(json_t *names, const char *mode, const char *what, struct error *err)
{
	if (mode[0] == '\0')
		return 0;
	if (strcmp(mode, "enforcing") != 0 && strcmp(mode, "permissive") != 0 &&
	    strcmp(mode, "disabled") != 0)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: short-name-mode is none of enforcing, permissive, disabled",
				 what);
	json_object_set_new(names, "mode", json_string(mode));
	return 0;
}

int registries_add_short_names(json_t *registries, const json_t *root, const char *what,
			       struct error *err)
{
	const json_t *list = json_object_get(root, "unqualified-search-registries");
	json_t *names = json_object_get(registries, SHORT_NAMES);
	json_auto_t *search = take_search(list, what, err);

	if (!search)
		return -1;
	if (!names)
		json_object_set_new(registries, SHORT_NAMES,
				    names = json_pack("{s:{}}", "aliases"));
	if (list) {
		json_object_set(names, "search", search);
		json_object_set_new(names, "searchAt", json_string(what));
	}
	return add_aliases(json_object_get(names, "aliases"), json_object_get(root, "aliases"),
			   what, err) < 0
		       ? -1
		       : take_mode(names, json_text(root, "short-name-mode", ""), what, err);
}

/* Add NAME with what came behind the short name. */
static int add(struct strings *candidates, const char *name, const char *rest, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_free char *text = xasprintf("%s%s", name, rest);

	if (!is_full(text))
		return error_set(err, ERROR_INTEGRITY,
				 "the configuration has \"%s\" where a registry must be named",
				 name);
	if (reference_parse(text, &reference, err) < 0)
		return -1;
	strings_add(candidates, text);
	return 0;
}

static int ambiguous(const char *name, const struct strings *candidates, struct error *err)
{
	cleanup_free char *list = xstrdup(candidates->items[0]);

	for (size_t i = 1; i < candidates->count; i++) {
		char *longer = xasprintf("%s, %s", list, candidates->items[i]);

		free(list);
		list = longer;
	}
	error_set(err, ERROR_USAGE, "\"%s\" may be %s: short-name-mode is enforcing", name, list);
	error_subject(err, name);
	return error_hint(err, "say which, or set an alias (containers-registries.conf(5))");
}

int registries_expand_with(const json_t *registries, const char *name, struct strings *candidates,
			   struct error *err)
{
	const json_t *names = json_object_get(registries, SHORT_NAMES), *registry;
	cleanup_free char *repository = xstrndup(name, strcspn(name, ":@"));
	const char *rest = name + strlen(repository);
	const char *alias = json_text(json_object_get(names, "aliases"), repository, "");
	size_t i;

	if (is_full(name))
		return add(candidates, name, "", err);
	if (*alias)
		return add(candidates, alias, rest, err);
	json_array_foreach (json_object_get(names, "search"), i, registry) {
		cleanup_free char *full =
			xasprintf("%s/%s", json_string_value(registry), repository);

		if (add(candidates, full, rest, err) < 0)
			return error_prefix(err, "%s", json_text(names, "searchAt", ""));
	}
	if (candidates->count == 0) {
		error_set(err, ERROR_USAGE,
			  "\"%s\" does not begin with a transport, and no alias or registry to "
			  "search is configured for short names",
			  name);
		error_subject(err, name);
		return error_hint(err, "Docker Hub's is docker://%s", name);
	}
	if (candidates->count > 1 && strcmp(json_text(names, "mode", ""), "enforcing") == 0)
		return ambiguous(name, candidates, err);
	return 0;
}
