/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image_config.h"

#include "lib/json.h"

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

enum type { TYPE_TEXT, TYPE_TEXTS, TYPE_SET, TYPE_MAP };

static const struct {
	const char *key;
	enum type type;
} keys[] = {
	{ "User", TYPE_TEXT },	      { "WorkingDir", TYPE_TEXT },  { "StopSignal", TYPE_TEXT },
	{ "Env", TYPE_TEXTS },	      { "Entrypoint", TYPE_TEXTS }, { "Cmd", TYPE_TEXTS },
	{ "ExposedPorts", TYPE_SET }, { "Volumes", TYPE_SET },	    { "Labels", TYPE_MAP },
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
	if (type == TYPE_TEXT)
		return json_is_string(value);
	return type == TYPE_TEXTS ? all_texts(value) : all_values(value, type);
}

int image_config_check(const json_t *config, struct error *err)
{
	static const char *const what[] = { "a string", "an array of strings",
					    "an object of objects", "an object of strings" };
	const json_t *inner = json_object_get(config, "config");

	if (inner && !json_is_null(inner) && !json_is_object(inner))
		return error_set(err, ERROR_USAGE, "\"config\" must be an object");
	if (!json_text(config, "os", "")[0] || !json_text(config, "architecture", "")[0])
		return error_set(err, ERROR_USAGE,
				 "an image must say its \"os\" and \"architecture\"");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *value = json_object_get(inner, keys[i].key);

		if (value && !json_is_null(value) && !has_type(value, keys[i].type))
			return error_set(err, ERROR_USAGE, "\"config\".\"%s\" must be %s",
					 keys[i].key, what[keys[i].type]);
	}
	return 0;
}
