/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image_config.h"

#include "lib/json.h"
#include "lib/timestamp.h"

#include <stdbool.h>

int image_config_check_patch(const json_t *patch, struct error *err)
{
	static const char *const ours[] = { "rootfs", "history" };

	if (!json_is_object(patch))
		return error_set(err, ERROR_USAGE,
				 "the changes of the configuration must be an "
				 "object");
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (json_object_get(patch, ours[i]))
			return error_set(err, ERROR_USAGE,
					 "\"%s\" follows from the layers and cannot be changed",
					 ours[i]);
	return 0;
}

enum type { TYPE_TEXT, TYPE_TEXTS, TYPE_SET, TYPE_MAP, TYPE_BOOL, TYPE_TIME };

struct member {
	const char *key;
	enum type type;
};

/* What Go's image-spec, and so most tools, read as these types or not at all. */
static const struct member members[] = {
	{ "created", TYPE_TIME },    { "author", TYPE_TEXT },	    { "variant", TYPE_TEXT },
	{ "os.version", TYPE_TEXT }, { "os.features", TYPE_TEXTS }, { 0 },
};

static const struct member config_members[] = {
	{ "User", TYPE_TEXT },
	{ "WorkingDir", TYPE_TEXT },
	{ "StopSignal", TYPE_TEXT },
	{ "Env", TYPE_TEXTS },
	{ "Entrypoint", TYPE_TEXTS },
	{ "Cmd", TYPE_TEXTS },
	{ "OnBuild", TYPE_TEXTS },
	{ "Shell", TYPE_TEXTS },
	{ "ExposedPorts", TYPE_SET },
	{ "Volumes", TYPE_SET },
	{ "Labels", TYPE_MAP },
	{ "ArgsEscaped", TYPE_BOOL },
	{ 0 },
};

static bool all_texts(const json_t *array)
{
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		if (!json_is_string(item))
			return false;
	}
	return json_is_array(array);
}

static bool all_values(const json_t *object, enum type type)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (type == TYPE_MAP ? !json_is_string(value) : !json_is_object(value))
			return false;
	}
	return json_is_object(object);
}

static bool has_type(const json_t *value, enum type type)
{
	switch (type) {
	case TYPE_TEXT:
		return json_is_string(value);
	case TYPE_TEXTS:
		return all_texts(value);
	case TYPE_SET:
	case TYPE_MAP:
		return all_values(value, type);
	case TYPE_BOOL:
		return json_is_boolean(value);
	case TYPE_TIME:
		return json_is_string(value) && timestamp_is_valid(json_string_value(value));
	}
	return false;
}

/* `prefix` is how the object is called before the key of a member. */
static int check_members(const json_t *object, const char *prefix, const struct member *list,
			 struct error *err)
{
	static const char *const what[] = { "a string",
					    "an array of strings",
					    "an object of objects",
					    "an object of strings",
					    "true or false",
					    "a time of RFC 3339" };

	for (const struct member *member = list; member->key; member++) {
		const json_t *value = json_object_get(object, member->key);

		if (value && !json_is_null(value) && !has_type(value, member->type))
			return error_set(err, ERROR_USAGE, "%s\"%s\" must be %s", prefix,
					 member->key, what[member->type]);
	}
	return 0;
}

int image_config_check(const json_t *config, struct error *err)
{
	const json_t *inner = json_object_get(config, "config");

	if (inner && !json_is_null(inner) && !json_is_object(inner))
		return error_set(err, ERROR_USAGE, "\"config\" must be an object");
	if (!json_text(config, "os", "")[0] || !json_text(config, "architecture", "")[0])
		return error_set(err, ERROR_USAGE,
				 "an image must say its \"os\" and \"architecture\"");
	if (check_members(config, "", members, err) < 0)
		return -1;
	return check_members(inner, "\"config\".", config_members, err);
}
