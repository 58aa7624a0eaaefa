/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/leaves.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>

/* Beyond this many mounts none is compared with each other. */
enum { MOUNTS_COMPARED_MAX = 1024 };

/* How entries of a list are known. */
enum identity {
	BY_INDEX,
	BY_KEY,	       /* by one member, or two */
	BY_VALUE,      /* it is a set of words or numbers */
	BY_ASSIGNMENT, /* NAME=VALUE */
	BY_CALL,       /* seccomp rules: each call of each */
	BY_WHOLE       /* by index, and each is one leaf */
};

static const struct list {
	const char *pattern;
	enum identity identity;
	const char *keys[2];
} lists[] = {
	{ "/mounts", BY_KEY, { "destination" } },
	{ "/mounts/*/options", BY_VALUE, { 0 } },
	{ "/mounts/*/uidMappings", BY_KEY, { "containerID" } },
	{ "/mounts/*/gidMappings", BY_KEY, { "containerID" } },
	{ "/process/env", BY_ASSIGNMENT, { 0 } },
	{ "/process/rlimits", BY_KEY, { "type" } },
	{ "/process/user/additionalGids", BY_VALUE, { 0 } },
	{ "/process/capabilities/bounding", BY_VALUE, { 0 } },
	{ "/process/capabilities/effective", BY_VALUE, { 0 } },
	{ "/process/capabilities/permitted", BY_VALUE, { 0 } },
	{ "/process/capabilities/inheritable", BY_VALUE, { 0 } },
	{ "/process/capabilities/ambient", BY_VALUE, { 0 } },
	{ "/linux/namespaces", BY_KEY, { "type" } },
	{ "/linux/devices", BY_KEY, { "path" } },
	{ "/linux/maskedPaths", BY_VALUE, { 0 } },
	{ "/linux/readonlyPaths", BY_VALUE, { 0 } },
	{ "/linux/uidMappings", BY_KEY, { "containerID" } },
	{ "/linux/gidMappings", BY_KEY, { "containerID" } },
	{ "/linux/resources/devices", BY_WHOLE, { 0 } },
	{ "/linux/resources/hugepageLimits", BY_KEY, { "pageSize" } },
	{ "/linux/resources/blockIO/weightDevice", BY_KEY, { "major", "minor" } },
	{ "/linux/resources/blockIO/throttleReadBpsDevice", BY_KEY, { "major", "minor" } },
	{ "/linux/resources/blockIO/throttleWriteBpsDevice", BY_KEY, { "major", "minor" } },
	{ "/linux/resources/blockIO/throttleReadIOPSDevice", BY_KEY, { "major", "minor" } },
	{ "/linux/resources/blockIO/throttleWriteIOPSDevice", BY_KEY, { "major", "minor" } },
	{ "/linux/resources/network/priorities", BY_KEY, { "name" } },
	{ "/linux/seccomp/architectures", BY_VALUE, { 0 } },
	{ "/linux/seccomp/flags", BY_VALUE, { 0 } },
	{ "/linux/seccomp/syscalls", BY_CALL, { 0 } },
	{ "/linux/memoryPolicy/flags", BY_VALUE, { 0 } },
	{ "/process/scheduler/flags", BY_VALUE, { 0 } },
	{ "/zos/namespaces", BY_KEY, { "type" } },
	{ "/freebsd/devices", BY_KEY, { "path" } },
	{ "/freebsd/jail/allow/mount", BY_VALUE, { 0 } },
};

/* Objects whose keys are free. */
static const char *const maps[] = { "/annotations",	     "/linux/sysctl",
				    "/linux/timeOffsets",    "/linux/netDevices",
				    "/linux/resources/rdma", "/linux/resources/unified" };

struct walk {
	json_t *leaves;
	json_t *repeats; /* path → how often it was there */
	bool by_meaning;
};

/* Where a value is: its name, its pointer, the pointer's pattern, and whether its being there says
 * something already. */
struct place {
	const char *path, *pointer, *pattern;
	bool telling;
};

static void add_value(struct walk *walk, const json_t *value, const struct place *place);

static bool is_map(const char *pattern)
{
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
		if (strcmp(maps[i], pattern) == 0)
			return true;
	return false;
}

/* Objects that turn something on even without members. */
static bool is_switch(const char *pattern)
{
	return strcmp(pattern, "/windows/hyperv") == 0 || strcmp(pattern, "/linux/intelRdt") == 0;
}

/* What says as much as not being there. Numbers are never. */
static bool says_nothing(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_string(value) && !*json_string_value(value)) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

static void add_leaf(struct walk *walk, const char *path, const char *pointer, json_t *value)
{
	json_int_t times = json_integer_value(json_object_get(walk->repeats, path)) + 1;
	cleanup_free char *again =
		times > 1 ? xasprintf("%s#%lld", path, (long long)times) : xstrdup(path);

	json_object_set_new(walk->repeats, path, json_integer(times));
	json_object_set_new(walk->leaves, again,
			    json_pack("{s:s, s:o}", "pointer", pointer, "value", value));
}

static void add_members(struct walk *walk, const json_t *object, const struct place *place)
{
	bool bind = walk->by_meaning && strcmp(place->pattern, "/mounts/*") == 0 &&
		    rules_is_bind(object);
	bool map = is_map(place->pattern);
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		cleanup_free char *path = pointer_join(place->path, key);
		cleanup_free char *pointer = pointer_join(place->pointer, key);
		cleanup_free char *pattern = pointer_join(place->pattern, map ? "*" : key);

		if (bind && strcmp(key, "type") == 0)
			continue; /* a word without meaning */
		bool telling = map || (is_switch(pattern) && !json_is_null(value));
		add_value(walk, value, &(struct place){ path, pointer, pattern, telling });
	}
}

/* A rule about calls: for each, and each condition on its arguments, what is done. */
static void add_calls(struct walk *walk, const json_t *rule, const struct place *place)
{
	json_t *args = json_object_get(rule, "args"), *name;
	cleanup_free char *condition = json_array_size(args) > 0 ? json_compact(args) : xstrdup("");
	size_t i;

	json_array_foreach (json_object_get(rule, "names"), i, name) {
		cleanup_free char *path =
			xasprintf("%s[%s%s%s]", place->path,
				  json_is_string(name) ? json_string_value(name) : "?",
				  *condition ? " " : "", condition);
		json_t *what = json_copy((json_t *)rule);

		json_object_del(what, "names");
		json_object_del(what, "args");
		add_leaf(walk, path, place->pointer, what);
	}
}

/* What an entry is known by, or NULL for its index. The caller frees it. */
static char *entry_key(const json_t *entry, const struct list *list)
{
	const json_t *first = list ? json_object_get(entry, list->keys[0]) : NULL;
	const json_t *second =
		first && list->keys[1] ? json_object_get(entry, list->keys[1]) : NULL;
	const char *text = json_string_value(list && list->identity == BY_KEY ? first : entry);

	if (!list)
		return NULL;
	if (list->identity == BY_ASSIGNMENT)
		return text ? xstrndup(text, strcspn(text, "=")) : NULL;
	if (list->identity == BY_VALUE)
		return text ? xstrdup(text) : json_compact(entry);
	if (list->identity != BY_KEY || !first)
		return NULL;
	if (text)
		return xstrdup(text);
	cleanup_free char *one = json_compact(first);
	cleanup_free char *two = second ? json_compact(second) : NULL;
	return xasprintf("%s%s%s", one, two ? ":" : "", two ? two : "");
}

static void add_entry(struct walk *walk, json_t *entry, const struct list *list,
		      const struct place *above, size_t index)
{
	cleanup_free char *pointer = pointer_index(above->pointer, index);
	cleanup_free char *pattern = pointer_join(above->pattern, "*");
	cleanup_free char *key = entry_key(entry, list);
	cleanup_free char *path =
		key ? xasprintf("%s[%s]", above->path, key) : pointer_index(above->path, index);
	enum identity identity = list ? list->identity : BY_INDEX;

	if (identity == BY_CALL)
		add_calls(walk, entry, &(struct place){ above->path, pointer, pattern, true });
	else if (identity == BY_VALUE || identity == BY_ASSIGNMENT || identity == BY_WHOLE)
		add_leaf(walk, path, pointer, json_incref(entry));
	else
		add_value(walk, entry, &(struct place){ path, pointer, pattern, true });
}

static void add_entries(struct walk *walk, const json_t *array, const struct place *place)
{
	bool options = walk->by_meaning && strcmp(place->pattern, "/mounts/*/options") == 0;
	cleanup_free bool *count = options ? mount_options_that_count(array) : NULL;
	const struct list *list = NULL;
	json_t *entry;
	size_t i;

	for (i = 0; i < sizeof lists / sizeof *lists && !list; i++)
		if (strcmp(lists[i].pattern, place->pattern) == 0)
			list = &lists[i];
	json_array_foreach (array, i, entry) {
		if (!count || count[i])
			add_entry(walk, entry, list, place, i);
	}
}

static void add_value(struct walk *walk, const json_t *value, const struct place *place)
{
	size_t leaves = json_object_size(walk->leaves);

	if (walk->by_meaning && !place->telling && says_nothing(value))
		return;
	if (json_object_size(value) > 0)
		add_members(walk, value, place);
	else if (json_array_size(value) > 0)
		add_entries(walk, value, place);
	else
		add_leaf(walk, place->path, place->pointer, json_incref((json_t *)value));
	/* all of its members say nothing, which is as much as having none */
	if (place->telling && json_is_object(value) && json_object_size(walk->leaves) == leaves)
		add_leaf(walk, place->path, place->pointer, json_object());
}

static bool lies_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* Order of mounts matters only where one is mounted over what is beneath it. */
static void add_hidden(struct walk *walk, const json_t *mounts)
{
	if (json_array_size(mounts) > MOUNTS_COMPARED_MAX)
		return;
	for (size_t i = 1; i < json_array_size(mounts); i++) {
		const char *above = json_text(json_array_get(mounts, i), "destination", "");

		for (size_t j = 0; j < i; j++) {
			const char *below = json_text(json_array_get(mounts, j), "destination", "");
			cleanup_free char *path = xasprintf("/mounts[%s] hidden by", below);
			cleanup_free char *pointer = pointer_index("/mounts", j);

			if (lies_beneath(below, above))
				add_leaf(walk, path, pointer, json_string(above));
		}
	}
}

json_t *leaves_of(const json_t *config, bool by_meaning)
{
	json_auto_t *repeats = json_object();
	struct walk walk = { json_object(), repeats, by_meaning };

	add_value(&walk, config, &(struct place){ "", "", "", false });
	if (by_meaning)
		add_hidden(&walk, json_object_get(config, "mounts"));
	return walk.leaves;
}

char *leaves_pattern(const char *pointer)
{
	char *pattern = xstrdup("");

	while (*pointer == '/') {
		size_t length = strcspn(pointer + 1, "/");
		cleanup_free char *key = xstrndup(pointer + 1, length);
		cleanup_free char *before = pattern;
		bool index = *key && !key[strspn(key, "0123456789")];

		pattern = xasprintf("%s/%s", before,
				    index || is_map(before) || strcmp(key, "-") == 0 ? "*" : key);
		pointer += 1 + length;
	}
	return pattern;
}
