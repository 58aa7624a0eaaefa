/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/json_difference.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <string.h>

/* The pointer to a member; the caller frees it. */
static char *extend(const char *pointer, const char *key)
{
	cleanup_free char *escaped = xcalloc(1, 2 * strlen(key) + 1);

	for (char *to = escaped; *key; key++) {
		if (*key == '~' || *key == '/')
			*to++ = '~';
		*to++ = *key == '~' ? '0' : *key == '/' ? '1' : *key;
	}
	return xasprintf("%s/%s", pointer, escaped);
}

/* What of an array comes behind the first `count` elements. */
static json_t *rest(const json_t *value, size_t count)
{
	json_t *array = json_array();

	for (size_t i = count; i < json_array_size(value); i++)
		json_array_append(array, json_array_get(value, i));
	return array;
}

static void tell(json_t *result, const char *pointer, const json_t *a, const json_t *b)
{
	json_t *row = json_object();
	size_t common = 0;

	if (json_is_array(a) && json_is_array(b)) {
		while (json_array_get(a, common) &&
		       json_equal(json_array_get(a, common), json_array_get(b, common)))
			common++;
		json_object_set_new(row, "A", rest(a, common));
		json_object_set_new(row, "B", rest(b, common));
	} else {
		if (a)
			json_object_set(row, "A", (json_t *)a);
		if (b)
			json_object_set(row, "B", (json_t *)b);
	}
	json_object_set_new(result, pointer, row);
}

static void compare(json_t *result, const char *pointer, const json_t *a, const json_t *b);

static void compare_member(json_t *result, const char *pointer, const char *key, const json_t *a,
			   const json_t *b)
{
	cleanup_free char *inner = extend(pointer, key);

	if (json_is_object(a) && json_is_object(b))
		compare(result, inner, a, b);
	else if (!a || !b || !json_equal(a, b))
		tell(result, inner, a, b);
}

/* Their depth is limited by lib/json.h. */
static void compare(json_t *result, const char *pointer, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)a, key, value) {
		compare_member(result, pointer, key, value, json_object_get(b, key));
	}
	json_object_foreach ((json_t *)b, key, value) {
		if (!json_object_get(a, key))
			compare_member(result, pointer, key, NULL, value);
	}
}

json_t *json_difference(const json_t *a, const json_t *b)
{
	json_t *result = json_object();

	compare(result, "", a, b);
	return result;
}
