/* SPDX-License-Identifier: Apache-2.0 */
/* What one file of the configuration says of registries. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/toml.h"
#include "skopeo-c/registries.h"

#include <string.h>
#include <strings.h>

/* the table in which version 1 of the format has everything */
#define VERSION_1 "registries"

/* What a table may hold. */
struct key {
	const char *name;
	json_type type; /* JSON_TRUE: a boolean */
};

static const struct key registry_keys[] = {
	{ "prefix", JSON_STRING },
	{ "location", JSON_STRING },
	{ "insecure", JSON_TRUE },
	{ "blocked", JSON_TRUE },
	{ "mirror-by-digest-only", JSON_TRUE },
	{ "mirror", JSON_ARRAY },
	{ NULL, JSON_NULL },
};
static const struct key mirror_keys[] = {
	{ "location", JSON_STRING },
	{ "insecure", JSON_TRUE },
	{ "pull-from-mirror", JSON_STRING },
	{ NULL, JSON_NULL },
};
/* the helper of another program is nothing to us */
static const struct key top_keys[] = {
	{ "registry", JSON_ARRAY },
	{ "aliases", JSON_OBJECT },
	{ "unqualified-search-registries", JSON_ARRAY },
	{ "short-name-mode", JSON_STRING },
	{ "credential-helpers", JSON_ARRAY },
	{ "additional-layer-store-auth-helper", JSON_STRING },
	{ VERSION_1, JSON_OBJECT },
	{ NULL, JSON_NULL },
};

struct reader {
	json_t *registries;
	struct toml toml;
	const char *what;
	struct error *err;
};

static int wrong(const struct reader *reader, const json_t *table, const char *key,
		 const char *problem)
{
	return error_set(reader->err, ERROR_INTEGRITY, "%s:%d: %s%s%s", reader->what,
			 toml_line(&reader->toml, table, key), key ? key : "", key ? " " : "",
			 problem);
}

static bool has_type(const json_t *value, json_type type)
{
	return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

/* A key of the table that is `name` but for the case of letters. */
static const char *other_spelling(json_t *table, const char *name)
{
	const char *key;
	const json_t *value;

	json_object_foreach (table, key, value) {
		if (strcasecmp(key, name) == 0 && strcmp(key, name) != 0)
			return key;
	}
	return NULL;
}

/* Other programs read keys in any case: what blocks for them must block for us. */
static int spell_keys(struct reader *reader, json_t *table, const struct key *keys)
{
	const char *other;

	for (; keys->name; keys++)
		while ((other = other_spelling(table, keys->name)))
			if (toml_rename(&reader->toml, table, other, keys->name) < 0)
				return wrong(reader, table, other, "is there in another case, too");
	return 0;
}

/* Wrong types are errors; a key that nobody knows may be a newer program's, or a slip of the pen:
 * say so. */
static int check_keys(struct reader *reader, json_t *table, const struct key *keys)
{
	const char *name;
	const json_t *value;

	if (spell_keys(reader, table, keys) < 0)
		return -1;
	json_object_foreach (table, name, value) {
		const struct key *key = keys;

		while (key->name && strcmp(key->name, name) != 0)
			key++;
		if (!key->name)
			log_message(LOG_LEVEL_WARN, "%s:%d: unknown key \"%s\"", reader->what,
				    toml_line(&reader->toml, table, name), name);
		else if (!has_type(value, key->type))
			return wrong(reader, table, name, "has a value of the wrong type");
	}
	return 0;
}

/* ---- locations ---- */

/* A key whose value is "" might as well not be there. */
static void drop_empty(json_t *table, const char *key)
{
	if (json_text(table, key, "-")[0] == '\0')
		json_object_del(table, key);
}

static void trim(json_t *table, const char *key)
{
	drop_empty(table, key);

	const char *location = json_text(table, key, NULL);
	cleanup_free char *trimmed = location ? registries_trim(location) : NULL;
	if (trimmed)
		json_object_set_new(table, key, json_string(trimmed));
}

/* HOST[:PORT][/PATH] with neither scheme nor anything that a URL would take for something else. */
static bool is_location(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.-_:/[]@";
	size_t length = strlen(text);

	return length > 0 && text[strspn(text, allowed)] == '\0' && !strstr(text, "//") &&
	       text[0] != '/' && text[0] != '@' && text[length - 1] != '/';
}

/* A host that references can name: others are taken for paths on docker.io. */
static bool has_host(const char *location)
{
	size_t length = strcspn(location, "/");

	return memchr(location, '.', length) || memchr(location, ':', length) ||
	       (length == strlen("localhost") && strncmp(location, "localhost", length) == 0);
}

bool registries_is_wildcard(const char *prefix)
{
	return strncmp(prefix, "*.", 2) == 0;
}

/* may_be_wildcard: it is a prefix, which is only compared. */
static int check_location(const struct reader *reader, const json_t *table, const char *key,
			  bool may_be_wildcard)
{
	const char *text = json_text(table, key, "");

	if (may_be_wildcard && registries_is_wildcard(text))
		return is_location(text + 2) && !strpbrk(text + 2, ":/@")
			       ? 0
			       : wrong(reader, table, key, "has a \"*.\" before more than a host");
	if (is_location(text) && (may_be_wildcard || has_host(text)))
		return 0;
	return wrong(reader, table, key, "is not HOST[:PORT][/PATH], with a dot or a port in HOST");
}

/* ---- tables ---- */

static int check_mirror(struct reader *reader, json_t *mirror, bool by_digest_only)
{
	if (!json_is_object(mirror))
		return error_set(reader->err, ERROR_INTEGRITY, "%s: a mirror is not a table",
				 reader->what);
	if (check_keys(reader, mirror, mirror_keys) < 0)
		return -1;
	trim(mirror, "location");
	drop_empty(mirror, "pull-from-mirror");
	const char *use = json_text(mirror, "pull-from-mirror", "all");
	if (!json_object_get(mirror, "location"))
		return wrong(reader, mirror, NULL, "the mirror has no location");
	if (strcmp(use, "all") != 0 && strcmp(use, "digest-only") != 0 &&
	    strcmp(use, "tag-only") != 0)
		return wrong(reader, mirror, "pull-from-mirror",
			     "is none of all, digest-only, tag-only");
	if (by_digest_only && json_object_get(mirror, "pull-from-mirror"))
		return wrong(reader, mirror, "pull-from-mirror",
			     "contradicts mirror-by-digest-only");
	return check_location(reader, mirror, "location", false);
}

static int check_registry(struct reader *reader, json_t *registry)
{
	json_t *mirror;
	size_t i;

	if (!json_is_object(registry))
		return error_set(reader->err, ERROR_INTEGRITY, "%s: a registry is not a table",
				 reader->what);
	if (check_keys(reader, registry, registry_keys) < 0)
		return -1;
	trim(registry, "prefix");
	trim(registry, "location");
	bool has_prefix = json_object_get(registry, "prefix");
	bool has_location = json_object_get(registry, "location");
	if (!has_prefix && !has_location)
		return wrong(reader, registry, NULL, "the registry has no prefix and no location");
	if (!has_location && !registries_is_wildcard(json_text(registry, "prefix", "")))
		return wrong(reader, registry, "prefix", "without \"*.\" needs a location, too");
	if ((has_prefix && check_location(reader, registry, "prefix", true) < 0) ||
	    (has_location && check_location(reader, registry, "location", false) < 0))
		return -1;
	bool by_digest_only = json_is_true(json_object_get(registry, "mirror-by-digest-only"));
	json_array_foreach (json_object_get(registry, "mirror"), i, mirror) {
		if (check_mirror(reader, mirror, by_digest_only) < 0)
			return -1;
	}
	return 0;
}

static bool differ(const json_t *one, const json_t *other, const char *flag)
{
	return json_is_true(json_object_get(one, flag)) !=
	       json_is_true(json_object_get(other, flag));
}

/* See that an entry says the same of what decides about access as the one before it of that key. */
static int check_same(const struct reader *reader, const json_t *seen, const char *key,
		      const json_t *registry)
{
	const json_t *before = json_object_get(seen, key);

	if (before && (differ(before, registry, "insecure") || differ(before, registry, "blocked")))
		return wrong(reader, registry, NULL,
			     "the same prefix or location as above, with other values of insecure "
			     "or blocked");
	return 0;
}

/* The entries of one file by what they are for, and by where that is. */
struct entries {
	json_t *prefixes, *locations;
};

/* Of two for one prefix in one file the first counts. */
static int add_registry(const struct reader *reader, const struct entries *entries,
			json_t *registry)
{
	const char *prefix = json_text(registry, "prefix", json_text(registry, "location", ""));
	const char *location = json_text(registry, "location", prefix);

	if (check_same(reader, entries->locations, location, registry) < 0 ||
	    check_same(reader, entries->prefixes, prefix, registry) < 0)
		return -1;
	json_object_set(entries->locations, location, registry);
	if (json_object_get(entries->prefixes, prefix))
		return 0;
	json_object_set(entries->prefixes, prefix, registry);
	json_object_set_new(
		registry, DEFINED_AT,
		json_sprintf("%s:%d", reader->what, toml_line(&reader->toml, registry, NULL)));
	json_object_set(reader->registries, prefix, registry);
	return 0;
}

static int add_registry_tables(struct reader *reader)
{
	json_auto_t *prefixes = json_object(), *locations = json_object();
	const struct entries entries = { prefixes, locations };
	json_t *registry;
	size_t i;

	json_array_foreach (json_object_get(reader->toml.root, "registry"), i, registry) {
		if (check_registry(reader, registry) < 0 ||
		    add_registry(reader, &entries, registry) < 0)
			return -1;
	}
	return 0;
}

static int add_helpers(const struct reader *reader)
{
	json_t *helpers = json_object_get(reader->toml.root, "credential-helpers"), *name;
	size_t i;

	json_array_foreach (helpers, i, name) {
		if (json_string_length(name) == 0)
			return wrong(reader, reader->toml.root, "credential-helpers",
				     "names what is no text");
	}
	if (helpers)
		json_object_set(reader->registries, CREDENTIAL_HELPERS, helpers);
	return 0;
}

static int add_file(struct reader *reader)
{
	json_t *root = reader->toml.root;

	if (check_keys(reader, root, top_keys) < 0)
		return -1;
	if (json_object_get(root, VERSION_1))
		return error_set(reader->err, ERROR_UNSUPPORTED,
				 "%s:%d: the format of version 1 is not supported", reader->what,
				 toml_line(&reader->toml, root, VERSION_1));
	if (add_helpers(reader) < 0 || add_registry_tables(reader) < 0)
		return -1;
	return registries_add_short_names(reader->registries, root, reader->what, reader->err);
}

int registries_add(json_t *registries, const char *text, size_t length, const char *what,
		   struct error *err)
{
	struct reader reader = { .registries = registries, .what = what, .err = err };

	if (toml_parse(text, length, what, &reader.toml, err) < 0)
		return -1;
	int status = add_file(&reader);
	toml_free(&reader.toml);
	if (status < 0 && err->kind == ERROR_UNSUPPORTED)
		error_hint(err, "write [[registry]] tables, see containers-registries.conf(5)");
	return status;
}
