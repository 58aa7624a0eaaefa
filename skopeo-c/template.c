/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/template.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/go_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

/* Go's names of fields are "RootFS" and "DiffIDs" for "rootfs" and "diff_ids". */
static bool is_same_name(const char *key, const char *name, size_t length)
{
	const char *end = name + length;

	while (*key && name < end) {
		if (*key == '_' || *key == '.') {
			key++;
			continue;
		}
		if (tolower((unsigned char)*key) != tolower((unsigned char)*name))
			return false;
		key++;
		name++;
	}
	return !*key && name == end;
}

static const json_t *find_field(const json_t *object, const char *name, size_t length)
{
	cleanup_free char *exact = xstrndup(name, length);
	const json_t *value = json_object_get(object, exact);
	const char *key;
	json_t *other;

	if (value)
		return value;
	json_object_foreach ((json_t *)object, key, other) {
		if (is_same_name(key, name, length))
			return other;
	}
	return NULL;
}

/* What stands at a path: a value, what Go has where there is none, or, of a map, neither. */
struct place {
	const json_t *value, *shape;
};

static bool is_map(const json_t *shape)
{
	return json_is_object(shape) && json_object_size(shape) == 0;
}

/* Follow ".A.B", or "." for the whole. */
static int find_place(struct place *place, const char *path, struct error *err)
{
	for (const char *at = path; at[1];) {
		size_t length = strcspn(++at, ".");
		bool may_lack = is_map(place->shape);

		place->value = find_field(place->value, at, length);
		place->shape = find_field(place->shape, at, length);
		if (!place->value && !place->shape && !may_lack)
			return error_set(err, ERROR_USAGE, "--format: there is no field %s", path);
		at += length;
		if (!*at)
			break;
	}
	return 0;
}

/* ---- values ---- */

static void put_time(struct buffer *out, const char *text)
{
	cleanup_free char *printed = go_time_print(text);

	buffer_add(out, printed ? printed : text);
}

static int by_name(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void put_value(struct buffer *out, const json_t *value);

static void put_map(struct buffer *out, const json_t *map)
{
	size_t count = json_object_size(map), i = 0;
	cleanup_free const char **keys = xcalloc(count + 1, sizeof *keys);
	const char *key;
	json_t *ignored;

	json_object_foreach ((json_t *)map, key, ignored) {
		keys[i++] = key;
	}
	qsort(keys, count, sizeof *keys, by_name);
	buffer_add(out, "map[");
	for (i = 0; i < count; i++) {
		buffer_add(out, i ? " " : "");
		buffer_add(out, keys[i]);
		buffer_add(out, ":");
		put_value(out, json_object_get(map, keys[i]));
	}
	buffer_add(out, "]");
}

static void put_value(struct buffer *out, const json_t *value)
{
	const json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		buffer_add(out, json_string_value(value));
		break;
	case JSON_ARRAY:
		buffer_add(out, "[");
		json_array_foreach (value, i, item) {
			buffer_add(out, i ? " " : "");
			put_value(out, item);
		}
		buffer_add(out, "]");
		break;
	case JSON_OBJECT:
		put_map(out, value);
		break;
	case JSON_NULL:
		buffer_add(out, "<nil>");
		break;
	default: {
		cleanup_free char *text = json_dumps(value, JSON_ENCODE_ANY);

		buffer_add(out, text ? text : "");
	}
	}
}

static void put_shaped(struct buffer *out, const json_t *value, const json_t *shape);

static void put_struct(struct buffer *out, const json_t *value, const json_t *shape)
{
	const char *key, *before = "{";
	json_t *field;

	json_object_foreach ((json_t *)shape, key, field) {
		buffer_add(out, before);
		put_shaped(out, json_object_get(value, key), field);
		before = " ";
	}
	buffer_add(out, "}");
}

static void put_list(struct buffer *out, const json_t *list, const json_t *shape)
{
	const json_t *item;
	size_t i;

	buffer_add(out, "[");
	json_array_foreach (list, i, item) {
		buffer_add(out, i ? " " : "");
		put_shaped(out, item, shape);
	}
	buffer_add(out, "]");
}

static void put_shaped(struct buffer *out, const json_t *value, const json_t *shape)
{
	bool is_there = value && !json_is_null(value);

	if (json_is_true(shape) && json_is_string(value))
		put_time(out, json_string_value(value));
	else if (json_is_true(shape) && !is_there)
		buffer_add(out, "<nil>");
	else if (json_is_object(shape) && !is_map(shape) && (!is_there || json_is_object(value)))
		put_struct(out, value, shape);
	else if (json_is_array(shape) && (!is_there || json_is_array(value)))
		put_list(out, value, json_array_get(shape, 0));
	else if (is_there || shape || value)
		put_value(out, is_there || !shape ? value : shape);
	else
		buffer_add(out, "<no value>");
}

/* Of what is missing Go has null, but of text, numbers and truth. */
static void put_json(struct buffer *out, const struct place *place)
{
	const json_t *shape = place->shape;
	bool is_null =
		json_is_object(shape) || json_is_array(shape) || json_is_true(shape) || !shape;
	const json_t *value = place->value ? place->value : is_null ? json_null() : shape;
	cleanup_free char *text =
		json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	buffer_add(out, text ? text : "");
}

/* ---- the template ---- */

static int richer(const char *action, struct error *err)
{
	error_set(err, ERROR_USAGE, "--format: \"%s\" is more than a field", action);
	return error_hint(err, "use jq on the result, as in: skopeo-c inspect IMAGE | jq -r .Name");
}

static bool is_path(const char *text)
{
	if (text[0] != '.' || strstr(text, ".."))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._", *text))
			return false;
	return true;
}

/* What follows the word of an action and a space; NULL where that is another one. */
static const char *behind_word(const char *action, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(action, word, length) != 0 || action[length] != ' ')
		return NULL;
	return action + length + strspn(action + length, " ");
}

/* index .A "KEY": of a map, whose keys may have dots in them. Of what is not there Go has nothing.
 */
static int put_entry(struct buffer *out, const char *action, const char *operands,
		     const json_t *object, const json_t *shape, struct error *err)
{
	size_t length = strcspn(operands, " ");
	const char *quoted = operands + length + strspn(operands + length, " ");
	size_t key_length = quoted[0] == '"' ? strcspn(quoted + 1, "\"\\") : 0;
	cleanup_free char *path = xstrndup(operands, length);

	if (!is_path(path) || quoted[0] != '"' || strcmp(quoted + 1 + key_length, "\"") != 0)
		return richer(action, err);
	if (!object)
		return 0;
	struct place place = { object, shape };
	if (find_place(&place, path, err) < 0)
		return -1;
	if (place.value && !json_is_null(place.value) && !json_is_object(place.value))
		return error_set(err, ERROR_USAGE, "--format: %s has no keys", path);
	cleanup_free char *key = xstrndup(quoted + 1, key_length);
	const json_t *value = json_object_get(place.value, key);
	if (value)
		put_value(out, value);
	return 0;
}

/* "json .A", ".A.B" or "index .A "KEY"". */
static int put_action(struct buffer *out, const char *action, const json_t *object,
		      const json_t *shape, struct error *err)
{
	const char *as_json = behind_word(action, "json"), *indexed = behind_word(action, "index");
	const char *path = as_json ? as_json : action;

	if (indexed)
		return put_entry(out, action, indexed, object, shape, err);
	if (!is_path(path))
		return richer(action, err);
	if (!object)
		return 0;
	struct place place = { object, shape };
	if (find_place(&place, path, err) < 0)
		return -1;
	if (as_json)
		put_json(out, &place);
	else
		put_shaped(out, place.value, place.shape);
	return 0;
}

/* What stands between "{{" and "}}", without spaces around it; moves *at behind it. NULL with an
 * error. */
static char *take_action(const char **at, struct error *err)
{
	const char *begin = *at + 2, *end = strstr(begin, "}}");

	if (!end) {
		error_set(err, ERROR_USAGE, "--format: \"{{\" without \"}}\"");
		return NULL;
	}
	*at = end + 2;
	begin += strspn(begin, " ");
	while (end > begin && end[-1] == ' ')
		end--;
	return xstrndup(begin, (size_t)(end - begin));
}

static const char *unescape(const char *at)
{
	if (at[0] != '\\')
		return NULL;
	return at[1] == 'n' ? "\n" : at[1] == 't' ? "\t" : NULL;
}

char *template_render(const char *template, const json_t *object, const json_t *shape,
		      struct error *err)
{
	cleanup_buffer struct buffer out = { 0 };

	if (strncmp(template, "table ", strlen("table ")) == 0) {
		richer("table", err);
		return NULL;
	}
	for (const char *at = template; *at;) {
		const char *escaped = unescape(at);

		if (strncmp(at, "{{", 2) == 0) {
			cleanup_free char *action = take_action(&at, err);

			if (!action || put_action(&out, action, object, shape, err) < 0)
				return NULL;
		} else if (escaped) {
			buffer_add(&out, escaped);
			at += 2;
		} else {
			buffer_append(&out, at++, 1);
		}
	}
	buffer_add(&out, "\n");
	return buffer_take_text(&out);
}

int template_check(const char *template, struct error *err)
{
	cleanup_free char *text = template ? template_render(template, NULL, NULL, err) : NULL;

	return template && !text ? -1 : 0;
}

/* An empty one is none, as with skopeo: "$format" of a script may be. */
static bool is_whole(const char *template)
{
	return !template[0] || strcmp(template, "json") == 0;
}

void template_fields(const char *template, struct strings *fields)
{
	struct error ignored;

	if (is_whole(template))
		strings_add(fields, "");
	for (const char *at = strstr(template, "{{"); at; at = strstr(at, "{{")) {
		cleanup_free char *action = take_action(&at, &ignored);
		const char *name = strchr(action, '.') + 1;

		strings_addf(fields, "%.*s", (int)strcspn(name, ". "), name);
	}
}

int template_output(const struct cli *cli, const char *template, const json_t *result,
		    const json_t *shape, struct error *err)
{
	if (!template || is_whole(template))
		return output_lines(cli, result, err);
	cleanup_free char *text = template_render(template, result, shape, err);
	if (!text)
		return -1;
	return fputs(text, stdout) == EOF ? error_os(err, "standard output") : 0;
}
