/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/policy.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_MAX = 4 << 20 }; /* bytes */

/* Where in the file a check is: "transports.docker.example.com[0]". */
struct place {
	const char *what; /* the file */
	const char *path;
	struct error *err;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct place *place,
						       const char *format, ...)
{
	char problem[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, sizeof problem, format, arguments);
	va_end(arguments);
	return error_set(place->err, ERROR_INTEGRITY, "%s: %s: %s", place->what, place->path,
			 problem);
}

/* ---- members ---- */

enum member_kind { MEMBER_TEXT, MEMBER_TEXTS, MEMBER_BASE64, MEMBER_BASE64S, MEMBER_OBJECT };

struct member {
	const char *name;
	enum member_kind kind;
	int group; /* of the members of one group (above 0) at most one may stand */
};

static bool is_text(const json_t *value, bool as_base64)
{
	size_t length = json_string_length(value);

	if (!json_is_string(value) || length == 0)
		return false;
	if (!as_base64)
		return true;
	cleanup_free unsigned char *data = xcalloc(1, length / 4 * 3 + 3);
	return base64_decode(json_string_value(value), length, data) > 0;
}

static bool is_texts(const json_t *list, bool as_base64)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return false;
	json_array_foreach (list, i, item) {
		if (!is_text(item, as_base64))
			return false;
	}
	return true;
}

static bool has_kind(const json_t *value, enum member_kind kind)
{
	switch (kind) {
	case MEMBER_TEXT:
	case MEMBER_BASE64:
		return is_text(value, kind == MEMBER_BASE64);
	case MEMBER_TEXTS:
	case MEMBER_BASE64S:
		return is_texts(value, kind == MEMBER_BASE64S);
	case MEMBER_OBJECT:
		return json_is_object(value);
	}
	return false;
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

/* See that an object has, beside "type", only these members, each of the right kind. */
static int check_members(const struct place *place, json_t *object, const struct member *members)
{
	const char *of_group[4] = { NULL };
	const char *name;
	json_t *value;

	json_object_foreach (object, name, value) {
		const struct member *member = find_member(members, name);

		if (strcmp(name, "type") == 0)
			continue;
		if (!member)
			return wrong(place, "unknown member \"%s\"", name);
		if (!has_kind(value, member->kind))
			return wrong(place, "\"%s\" is not what it must be", name);
		if (member->group && of_group[member->group])
			return wrong(place, "\"%s\" and \"%s\" exclude each other",
				     of_group[member->group], name);
		of_group[member->group] = name;
	}
	return 0;
}

static bool has_any(const json_t *object, const struct member *members, int group)
{
	for (; members->name; members++)
		if (members->group == group && json_object_get(object, members->name))
			return true;
	return false;
}

/* ---- signedIdentity ---- */

static int check_reference(const struct place *place, const json_t *identity, const char *member,
			   bool must_be_exact)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;
	const char *text = json_text(identity, member, "");

	if (reference_parse(text, &reference, &ignored) < 0)
		return wrong(place, "%s \"%s\" is not a reference", member, text);
	if (must_be_exact && !reference.tag && !reference.digest)
		return wrong(place, "%s \"%s\" has neither tag nor digest", member, text);
	return 0;
}

static int check_identity(const struct place *outer, json_t *identity)
{
	static const struct member none[] = { { 0 } };
	static const struct member one_reference[] = { { "dockerReference", MEMBER_TEXT, 0 },
						       { 0 } };
	static const struct member one_repository[] = { { "dockerRepository", MEMBER_TEXT, 0 },
							{ 0 } };
	static const struct member prefixes[] = { { "prefix", MEMBER_TEXT, 0 },
						  { "signedPrefix", MEMBER_TEXT, 0 },
						  { 0 } };
	cleanup_free char *path = xasprintf("%s.signedIdentity", outer->path);
	const struct place place = { outer->what, path, outer->err };
	const char *type = json_text(identity, "type", "");

	if (strcmp(type, "matchExact") == 0 || strcmp(type, "matchRepository") == 0 ||
	    strcmp(type, "matchRepoDigestOrExact") == 0)
		return check_members(&place, identity, none);
	if (strcmp(type, "exactReference") == 0)
		return check_members(&place, identity, one_reference) < 0
			       ? -1
			       : check_reference(&place, identity, "dockerReference", true);
	if (strcmp(type, "exactRepository") == 0)
		return check_members(&place, identity, one_repository) < 0
			       ? -1
			       : check_reference(&place, identity, "dockerRepository", false);
	if (strcmp(type, "remapIdentity") != 0)
		return wrong(&place, "unknown type \"%s\"", type);
	if (check_members(&place, identity, prefixes) < 0)
		return -1;
	for (const struct member *member = prefixes; member->name; member++)
		if (!policy_is_prefix(json_text(identity, member->name, "")))
			return wrong(&place, "%s is not HOST[:PORT][/PATH]", member->name);
	return 0;
}

static int check_identity_of(const struct place *place, const json_t *requirement)
{
	json_t *identity = json_object_get(requirement, "signedIdentity");

	return identity ? check_identity(place, identity) : 0;
}

/* ---- requirements ---- */

enum { GROUP_KEYS = 1, GROUP_REKOR };

static int check_signed_by(const struct place *place, json_t *requirement)
{
	static const struct member members[] = {
		{ "keyType", MEMBER_TEXT, 0 },
		{ "keyPath", MEMBER_TEXT, GROUP_KEYS },
		{ "keyPaths", MEMBER_TEXTS, GROUP_KEYS },
		{ "keyData", MEMBER_BASE64, GROUP_KEYS },
		{ "signedIdentity", MEMBER_OBJECT, 0 },
		{ 0 },
	};
	static const char *const key_types[] = { "GPGKeys", "signedByGPGKeys", "X509Certificates",
						 "signedByX509CAs", NULL };
	const char *type = json_text(requirement, "keyType", "");
	bool known = false;

	if (check_members(place, requirement, members) < 0)
		return -1;
	for (size_t i = 0; key_types[i]; i++)
		known = known || strcmp(type, key_types[i]) == 0;
	if (!known)
		return wrong(place, "unknown keyType \"%s\"", type);
	if (!has_any(requirement, members, GROUP_KEYS))
		return wrong(place, "one of keyPath, keyPaths and keyData is needed");
	return check_identity_of(place, requirement);
}

static int check_sigstore_signed(const struct place *place, json_t *requirement)
{
	static const struct member members[] = {
		{ "keyPath", MEMBER_TEXT, GROUP_KEYS },
		{ "keyPaths", MEMBER_TEXTS, GROUP_KEYS },
		{ "keyData", MEMBER_BASE64, GROUP_KEYS },
		{ "keyDatas", MEMBER_BASE64S, GROUP_KEYS },
		{ "fulcio", MEMBER_OBJECT, GROUP_KEYS },
		{ "pki", MEMBER_OBJECT, GROUP_KEYS },
		{ "rekorPublicKeyPath", MEMBER_TEXT, GROUP_REKOR },
		{ "rekorPublicKeyPaths", MEMBER_TEXTS, GROUP_REKOR },
		{ "rekorPublicKeyData", MEMBER_BASE64, GROUP_REKOR },
		{ "rekorPublicKeyDatas", MEMBER_BASE64S, GROUP_REKOR },
		{ "signedIdentity", MEMBER_OBJECT, 0 },
		{ 0 },
	};

	if (check_members(place, requirement, members) < 0)
		return -1;
	if (!has_any(requirement, members, GROUP_KEYS))
		return wrong(place, "one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki "
				    "is needed");
	return check_identity_of(place, requirement);
}

static int check_base_layer(const struct place *place, json_t *requirement)
{
	static const struct member members[] = { { "baseLayerIdentity", MEMBER_OBJECT, 0 }, { 0 } };
	json_t *identity = json_object_get(requirement, "baseLayerIdentity");

	if (check_members(place, requirement, members) < 0)
		return -1;
	return identity ? check_identity(place, identity)
			: wrong(place, "baseLayerIdentity is needed");
}

static int check_requirement(const struct place *place, json_t *requirement)
{
	static const struct member none[] = { { 0 } };
	const char *type = json_text(requirement, "type", "");

	if (strcmp(type, "insecureAcceptAnything") == 0 || strcmp(type, "reject") == 0)
		return check_members(place, requirement, none);
	if (strcmp(type, "signedBy") == 0)
		return check_signed_by(place, requirement);
	if (strcmp(type, "sigstoreSigned") == 0)
		return check_sigstore_signed(place, requirement);
	if (strcmp(type, "signedBaseLayer") == 0)
		return check_base_layer(place, requirement);
	return wrong(place, "unknown type of requirement \"%s\"", type);
}

static int check_requirements(const struct place *outer, const json_t *list)
{
	json_t *requirement;
	size_t i;

	if (json_array_size(list) == 0)
		return wrong(outer, "a list of requirements, not empty, is needed");
	json_array_foreach (list, i, requirement) {
		cleanup_free char *path = xasprintf("%s[%zu]", outer->path, i);
		const struct place place = { outer->what, path, outer->err };

		if (!json_is_object(requirement))
			return wrong(&place, "not an object");
		if (check_requirement(&place, requirement) < 0)
			return -1;
	}
	return 0;
}

/* ---- scopes ---- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* An absolute path without "//", "/./", "/../" and an end of "/". */
static bool is_clean_path(const char *path)
{
	if (path[0] != '/' || path[1] == '\0')
		return false;
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");

		if (length == 0 || (length == 1 && path[1] == '.') ||
		    (length == 2 && path[1] == '.' && path[2] == '.'))
			return false;
		path += 1 + length;
	}
	return true;
}

/* "[STORE]NAME", where STORE is an absolute path, with the driver and "@" before it or not. */
static bool is_store_scope(const char *scope)
{
	const char *end = strchr(scope, ']'), *at = strchr(scope, '@');

	if (scope[0] != '[' || !end)
		return false;
	const char *root = at && at < end ? at + 1 : scope + 1;
	return root[0] == '/' && root != scope + 2;
}

/* A scope that could never fit would leave its author in a wrong belief. */
static bool is_scope(const char *transport, const char *scope)
{
	static const char *const by_path[] = { "dir", "oci", "oci-archive", "sif", NULL };
	static const char *const unscoped[] = { "docker-archive", "tarball", NULL };
	static const char *const by_name[] = { "docker", "docker-daemon", "store", NULL };
	const char *star = strchr(scope, '*');

	if (scope[0] == '\0')
		return true;
	if (is_one_of(transport, by_path))
		return is_clean_path(scope);
	if (strcmp(transport, "containers-storage") == 0)
		return is_store_scope(scope);
	if (is_one_of(transport, by_name))
		return !star || (star == scope && scope[1] == '.' && !strpbrk(scope + 1, "*:/"));
	return !is_one_of(transport, unscoped);
}

static int check_transport(const char *what, const char *transport, json_t *scopes,
			   struct error *err)
{
	const char *scope;
	json_t *requirements;

	json_object_foreach (scopes, scope, requirements) {
		cleanup_free char *path = xasprintf("transports.%s.\"%s\"", transport, scope);
		const struct place place = { what, path, err };

		if (!is_scope(transport, scope))
			return wrong(&place, "not a scope of this transport");
		if (check_requirements(&place, requirements) < 0)
			return -1;
	}
	return 0;
}

static int check_policy(const char *what, json_t *policy, struct error *err)
{
	const struct place place = { what, "default", err };
	json_t *default_list = NULL, *transports = NULL, *scopes;
	const char *transport;

	if (json_require(policy, what, err, "{s?o, s?o !}", "default", &default_list, "transports",
			 &transports) < 0 ||
	    check_requirements(&place, default_list) < 0)
		return -1;
	if (transports && !json_is_object(transports))
		return error_set(err, ERROR_INTEGRITY, "%s: \"transports\" is not an object", what);
	json_object_foreach (transports, transport, scopes) {
		if (!json_is_object(scopes))
			return error_set(err, ERROR_INTEGRITY, "%s: transports.%s is not an object",
					 what, transport);
		if (check_transport(what, transport, scopes, err) < 0)
			return -1;
	}
	return 0;
}

json_t *policy_parse(const char *text, size_t length, const char *what, struct error *err)
{
	json_auto_t *policy = json_parse(text, length, what, err);

	if (!policy || check_policy(what, policy, err) < 0)
		return NULL;
	return json_incref(policy);
}

const json_t *policy_requirements(const json_t *policy, const char *transport,
				  const struct strings *scopes)
{
	const json_t *of_transport = json_path(policy, "transports", transport, NULL);
	const json_t *found = NULL;

	for (size_t i = 0; i < scopes->count && !found; i++)
		found = json_object_get(of_transport, scopes->items[i]);
	if (!found)
		found = json_object_get(of_transport, "");
	return found ? found : json_object_get(policy, "default");
}

/* ---- the file ---- */

/* 1: read; 0: there is no such file. */
static int read_file(const char *path, bool required, json_t **policy, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length;
	int found = file_read_known(path, required, POLICY_MAX, &text, &length, err);

	if (found <= 0)
		return found;
	*policy = policy_parse(text, length, path, err);
	return *policy ? 1 : -1;
}

/* The same for a file that an option or a variable names. */
static int read_named(const char *path, json_t **policy, struct error *err)
{
	return read_file(path, true, policy, err) < 0 ? error_missing_is(err, ERROR_USAGE) : 1;
}

json_t *policy_load(const char *path, bool insecure, struct error *err)
{
	const char *named = path ? path : getenv("CONTAINERS_POLICY_JSON");
	cleanup_strings struct strings paths = { 0 };
	json_t *policy = NULL;
	int status = 0;

	if (!insecure && named && (path || named[0]))
		status = read_named(named, &policy, err);
	else if (!insecure)
		config_files("policy.json", &paths);
	for (size_t i = 0; i < paths.count && status == 0; i++)
		status = read_file(paths.items[i], false, &policy, err);
	if (status != 0)
		return policy;
	return json_pack("{s:[{s:s}]}", "default", "type", "insecureAcceptAnything");
}
