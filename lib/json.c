/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

/* jansson allows 2,048 levels; count brackets outside strings to refuse earlier. */
static int check_depth(const char *text, size_t length, const char *what, struct error *err)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return error_set(err, ERROR_INTEGRITY,
						 "%s: JSON is nested deeper than %d levels", what,
						 JSON_DEPTH_MAX);
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

/* jansson's, but where that names a flag of its own */
static const char *reason(const json_error_t *position)
{
	return json_error_code(position) == json_error_null_character
		       ? "\\u0000, which no text may have here"
		       : position->text;
}

json_t *json_parse(const char *text, size_t length, const char *what, struct error *err)
{
	json_error_t position;

	if (check_depth(text, length, what, err) < 0)
		return NULL;

	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &position);
	if (!json)
		error_set(err, ERROR_INTEGRITY, "%s: not valid JSON: line %d, column %d: %s", what,
			  position.line, position.column, reason(&position));
	return json;
}

json_t *json_read_fd(int fd, size_t max, const char *what, struct error *err)
{
	size_t length;
	cleanup_free char *text = file_read_fd(fd, max, &length, what, err);

	return text ? json_parse(text, length, what, err) : NULL;
}

json_t *json_read_at(int dir_fd, const char *path, size_t max, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	return json_read_fd(fd, max, path, err);
}

int json_require(json_t *json, const char *what, struct error *err, const char *format, ...)
{
	json_error_t position;
	va_list args;

	va_start(args, format);
	int status = json_vunpack_ex(json, &position, 0, format, args);
	va_end(args);
	if (status < 0)
		return error_set(err, ERROR_INTEGRITY, "%s: %s", what, position.text);
	return 0;
}

char *json_compact(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	/* the only failure left for a value that jansson itself accepted is memory */
	return text ? text : xstrdup("null");
}

char *json_compact_with(const json_t *object, const char *key, const char *value)
{
	json_auto_t *before = json_object(), *after = json_object();
	const char *name;
	json_t *member;

	json_object_foreach ((json_t *)object, name, member) {
		int order = strcmp(name, key);

		if (order != 0)
			json_object_set(order < 0 ? before : after, name, member);
	}

	cleanup_free char *head = json_compact(before), *tail = json_compact(after);
	size_t size = strlen(head) + strlen(key) + strlen(value) + strlen(tail) + sizeof ",\"\":,";
	char *text = xreallocarray(NULL, size, 1);
	snprintf(text, size, "%.*s%s\"%s\":%s%s%s", (int)strlen(head) - 1, head,
		 json_object_size(before) ? "," : "", key, value,
		 json_object_size(after) ? "," : "", tail + 1);
	return text;
}

json_t *json_merge_patch(const json_t *target, const json_t *patch)
{
	json_t *merged, *value;
	const char *key;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	merged = json_is_object(target) ? json_copy((json_t *)target) : json_object();
	json_object_foreach ((json_t *)patch, key, value) {
		if (json_is_null(value))
			json_object_del(merged, key);
		else
			json_object_set_new(merged, key,
					    json_merge_patch(json_object_get(merged, key), value));
	}
	return merged;
}

json_t *json_path(const json_t *json, ...)
{
	const json_t *at = json;
	const char *key;
	va_list keys;

	va_start(keys, json);
	while (at && (key = va_arg(keys, const char *)))
		at = json_object_get(at, key);
	va_end(keys);
	return (json_t *)at;
}

const char *json_text(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

bool json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool json_has_text(const json_t *array, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		const char *is = json_string_value(item);

		if (is && strcmp(is, text) == 0)
			return true;
	}
	return false;
}
