/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/fixes.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"

#include <string.h>

/* Programs in Go write members that are not there as null. */
static bool drop_null(json_t *config, const char *pointer)
{
	json_t *parent;

	return json_is_null(pointer_find(config, pointer, &parent)) && json_is_object(parent) &&
	       pointer_delete(config, pointer);
}

/* An empty path of a namespace is none: the namespace is new. */
static bool drop_empty_path(json_t *config, const char *pointer)
{
	return strncmp(pointer, "/linux/namespaces/", strlen("/linux/namespaces/")) == 0 &&
	       pointer_delete(config, pointer);
}

/* "net_admin" can only be CAP_NET_ADMIN. */
static bool name_capability(json_t *config, const char *pointer)
{
	const char *text = json_string_value(pointer_find(config, pointer, NULL));
	int number = text ? known_capability(text) : -1;

	return number >= 0 &&
	       pointer_replace(config, pointer, json_string(known_capabilities[number]));
}

/* An entry that says what an earlier one says. */
static bool drop_repeated(json_t *config, const char *pointer)
{
	json_t *list = NULL, *entry = pointer_find(config, pointer, &list);
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (item == entry)
			return false;
		if (json_equal(item, entry))
			return pointer_delete(config, pointer);
	}
	return false;
}

/* "nofile" can only be RLIMIT_NOFILE. */
static bool name_rlimit(json_t *config, const char *pointer)
{
	json_t *limit = pointer_find(config, pointer, NULL);
	const char *type = known_rlimit(json_text(limit, "type", ""));

	if (!type || strcmp(type, json_text(limit, "type", "")) == 0)
		return drop_repeated(config, pointer);
	json_object_set_new(limit, "type", json_string(type));
	return true;
}

static bool drop_member(json_t *config, const char *pointer)
{
	return pointer_delete(config, pointer);
}

/* Runtimes call both at the same point, prestart hooks first. */
static bool rename_prestart(json_t *config, const char *pointer)
{
	json_t *hooks = pointer_get(config, "/hooks"), *moved = json_object_get(hooks, "prestart");
	json_t *now = json_object_get(hooks, "createRuntime");

	if (!json_is_array(moved) || (now && !json_is_array(now)))
		return false;
	json_incref(moved);
	pointer_delete(config, pointer);
	if (now)
		json_array_extend(moved, now);
	json_object_set_new(hooks, "createRuntime", moved);
	return true;
}

static bool add_bind(json_t *config, const char *pointer)
{
	cleanup_free char *above = pointer_above(pointer);
	json_t *mount = pointer_find(config, above, NULL);
	json_t *options = json_object_get(mount, "options");

	if (options && !json_is_array(options))
		return false;
	if (!options) {
		options = json_array();
		json_object_set_new(mount, "options", options);
	}
	json_array_insert_new(options, 0, json_string("bind"));
	return true;
}

/* Older runtimes take a relative destination from the root. */
static bool make_absolute(json_t *config, const char *pointer)
{
	const char *path = json_string_value(pointer_find(config, pointer, NULL));
	cleanup_free char *absolute = xasprintf("/%s", path);

	return pointer_replace(config, pointer, json_string(absolute));
}

static bool lies_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* The same mount again, when it hides nothing that was mounted in between. */
static bool drop_repeated_mount(json_t *config, const char *pointer)
{
	cleanup_free char *above = pointer_above(pointer);
	json_t *mounts = NULL, *mount = pointer_find(config, above, &mounts);
	const char *destination = json_text(mount, "destination", "");
	const json_t *item;
	bool repeated = false;
	size_t i;

	json_array_foreach (mounts, i, item) {
		if (item == mount)
			break;
		if (json_equal(item, mount))
			repeated = true;
		else if (strcmp(json_text(item, "destination", ""), destination) == 0 ||
			 lies_beneath(json_text(item, "destination", ""), destination))
			repeated = false;
	}
	return repeated && pointer_delete(config, above);
}

/* With this action it has no meaning. */
static bool drop_errno(json_t *config, const char *pointer)
{
	if (strcmp(pointer, "/linux/seccomp/defaultErrnoRet") == 0)
		return pointer_delete(config, pointer);
	return json_object_del(pointer_find(config, pointer, NULL), "errnoRet") == 0;
}

static bool drop_metadata(json_t *config, const char *pointer)
{
	return strcmp(pointer, "/linux/seccomp/listenerMetadata") == 0 &&
	       pointer_delete(config, pointer);
}

/* What takes entries out of lists goes last: until then every finding points to what it is about.
 * Each of these is about a list of its own. */
static const struct {
	const char *rule;
	bool (*fix)(json_t *config, const char *pointer);
	enum fixes_turn turn;
} fixes[] = {
	{ "type", drop_null, FIXES_IN_PLACE },
	{ "not-empty", drop_empty_path, FIXES_IN_PLACE },
	{ "capability-known", name_capability, FIXES_IN_PLACE },
	{ "capability-ambient", drop_member, FIXES_OF_LISTS },
	{ "rlimit", name_rlimit, FIXES_OF_LISTS },
	{ "console-size", drop_member, FIXES_IN_PLACE },
	{ "hook-prestart", rename_prestart, FIXES_IN_PLACE },
	{ "mount-bind", add_bind, FIXES_IN_PLACE },
	{ "mount-absolute", make_absolute, FIXES_IN_PLACE },
	{ "mount-duplicate", drop_repeated_mount, FIXES_OF_LISTS },
	{ "namespace", drop_repeated, FIXES_OF_LISTS },
	{ "device-repeated", drop_repeated, FIXES_OF_LISTS },
	{ "seccomp-errno", drop_errno, FIXES_IN_PLACE },
	{ "seccomp-listener", drop_metadata, FIXES_IN_PLACE },
};

bool fixes_apply(json_t *config, const json_t *finding, enum fixes_turn turn)
{
	const char *rule = json_text(finding, "rule", "");

	for (size_t i = 0; i < sizeof fixes / sizeof *fixes; i++)
		if (strcmp(fixes[i].rule, rule) == 0)
			return fixes[i].turn == turn &&
			       fixes[i].fix(config, json_text(finding, "pointer", ""));
	return false;
}
