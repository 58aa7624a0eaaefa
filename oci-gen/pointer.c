/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/pointer.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first key of a pointer that begins with "/"; *rest is moved past it. */
static char *first_key(const char **rest)
{
	const char *start = *rest + 1;
	size_t length = strcspn(start, "/");

	*rest = start + length;
	return xstrndup(start, length);
}

json_t *pointer_get(const json_t *root, const char *pointer)
{
	const json_t *at = root;

	while (at && *pointer) {
		size_t length = strcspn(++pointer, "/");

		at = json_object_getn(at, pointer, length);
		pointer += length;
	}
	return (json_t *)at;
}

/* The object that holds the last key of the pointer, made where missing; *last is that key. */
static json_t *parent_of(json_t *root, const char *pointer, char **last)
{
	json_t *at = root;

	for (;;) {
		char *key = first_key(&pointer);

		if (!*pointer) {
			*last = key;
			return at;
		}
		json_t *next = json_object_get(at, key);
		if (!json_is_object(next)) {
			next = json_object();
			json_object_set_new(at, key, next);
		}
		free(key);
		at = next;
	}
}

void pointer_set(json_t *root, const char *pointer, json_t *value)
{
	cleanup_free char *key = NULL;
	json_t *parent = parent_of(root, pointer, &key);

	json_object_set_new(parent, key, value);
}

void pointer_remove(json_t *root, const char *pointer)
{
	cleanup_free char *key = NULL;

	if (!pointer_get(root, pointer))
		return;
	json_t *parent = parent_of(root, pointer, &key);
	json_object_del(parent, key);
}

json_t *pointer_object(json_t *root, const char *pointer)
{
	json_t *found = pointer_get(root, pointer);

	if (json_is_object(found))
		return found;
	pointer_set(root, pointer, json_object());
	return pointer_get(root, pointer);
}

json_t *pointer_array(json_t *root, const char *pointer)
{
	json_t *found = pointer_get(root, pointer);

	if (json_is_array(found))
		return found;
	pointer_set(root, pointer, json_array());
	return pointer_get(root, pointer);
}

/* Without "~1" and "~0"; in place. */
static void unescape(char *key)
{
	char *to = key;

	for (const char *from = key; *from; from++) {
		bool escape = *from == '~' && (from[1] == '0' || from[1] == '1');

		*to++ = !escape ? *from : from[1] == '0' ? '~' : '/';
		from += escape;
	}
	*to = '\0';
}

/* The index that a key is, or SIZE_MAX. */
static size_t index_of(const char *key)
{
	bool number = *key && !key[strspn(key, "0123456789")] && strlen(key) < 10 &&
		      (*key != '0' || !key[1]);

	return number ? strtoul(key, NULL, 10) : SIZE_MAX;
}

json_t *pointer_find(const json_t *root, const char *pointer, json_t **parent)
{
	const json_t *at = root;

	if (parent)
		*parent = NULL;
	if (*pointer && *pointer != '/')
		return NULL;
	while (at && *pointer) {
		cleanup_free char *key = first_key(&pointer);

		unescape(key);
		if (parent)
			*parent = (json_t *)at;
		at = json_is_array(at) ? json_array_get(at, index_of(key))
				       : json_object_get(at, key);
	}
	return (json_t *)at;
}

char *pointer_last(const char *pointer)
{
	const char *slash = strrchr(pointer, '/');
	char *key = xstrdup(slash ? slash + 1 : "");

	unescape(key);
	return key;
}

char *pointer_above(const char *pointer)
{
	const char *slash = strrchr(pointer, '/');

	return xstrndup(pointer, slash ? (size_t)(slash - pointer) : 0);
}

bool pointer_delete(json_t *root, const char *pointer)
{
	cleanup_free char *key = pointer_last(pointer);
	json_t *parent;

	if (!pointer_find(root, pointer, &parent) || !parent)
		return false;
	return (json_is_array(parent) ? json_array_remove(parent, index_of(key))
				      : json_object_del(parent, key)) == 0;
}

bool pointer_replace(json_t *root, const char *pointer, json_t *value)
{
	cleanup_free char *key = pointer_last(pointer);
	json_t *parent = NULL;
	bool found = pointer_find(root, pointer, &parent) && parent;

	if (!found)
		json_decref(value);
	else if (json_is_array(parent))
		json_array_set_new(parent, index_of(key), value);
	else
		json_object_set_new(parent, key, value);
	return found;
}

char *pointer_join(const char *pointer, const char *key)
{
	/* the separator, every byte of the key twice, and the NUL */
	char *joined = xcalloc(strlen(pointer) + 2 + 2 * strlen(key), 1);
	char *end = stpcpy(joined, pointer);

	*end++ = '/';
	for (; *key; key++) {
		bool escaped = *key == '~' || *key == '/';

		if (escaped)
			*end++ = '~';
		*end++ = *key == '~' ? '0' : escaped ? '1' : *key;
	}
	return joined;
}

char *pointer_index(const char *pointer, size_t index)
{
	return xasprintf("%s/%zu", pointer, index);
}
