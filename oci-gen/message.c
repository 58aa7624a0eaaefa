/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/message.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A value as it is plainly; *ret stays NULL where it is the default. */
static int read_value(const json_t *value, const struct member *member, const char *at,
		      json_t **ret, struct error *err);

static int malformed(const char *at, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s is not %s", at, wanted);
}

static int read_number(const json_t *value, const struct member *member, const char *at,
		       json_t **ret, struct error *err)
{
	const char *text = json_string_value(value);
	bool octal = member->kind == FILE_MODE && text && *text == '0';
	char *end = NULL;

	if (octal && text[1] == 'o')
		text += 2; /* as YAML writes it now */
	errno = 0;
	long long number = text ? strtoll(text, &end, octal ? 8 : 10) : json_integer_value(value);
	bool whole_text = text && *text && strspn(text, "-0123456789") == strlen(text) && !*end;
	if (errno || (text && !whole_text) || (!text && !json_is_integer(value)))
		return malformed(at, "an integer", err);
	*ret = number || member->keep_zero ? json_integer(number) : NULL;
	return 0;
}

/* Base 64 whose bytes are text. */
static int read_bytes(const json_t *value, const char *at, json_t **ret, struct error *err)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "=";
	size_t length = strlen(text);
	cleanup_free unsigned char *bytes = xcalloc(length / 4 * 3 + 3, 1);
	ssize_t count = base64_decode(text, length, bytes);

	if (count < 0)
		return malformed(at, "base 64", err);
	if (memchr(bytes, '\0', (size_t)count))
		return malformed(at, "without NUL bytes", err);
	*ret = count ? json_stringn((const char *)bytes, (size_t)count) : NULL;
	return count && !*ret ? malformed(at, "UTF-8, which JSON needs", err) : 0;
}

static int read_enumeration(const json_t *value, const struct member *member, const char *at,
			    json_t **ret, struct error *err)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	for (json_int_t i = 0; member->values[i]; i++) {
		if (text ? strcmp(text, member->values[i]) != 0
			 : !json_is_integer(value) || number != i)
			continue;
		*ret = i ? json_string(member->values[i]) : NULL;
		return 0;
	}
	return malformed(at, "one of the values of its type", err);
}

static int read_map(const json_t *value, const char *at, json_t **ret, struct error *err)
{
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return malformed(at, "an object", err);
	json_object_foreach ((json_t *)value, key, item) {
		if (!json_is_string(item))
			return malformed(at, "an object of strings", err);
	}
	*ret = json_object_size(value) > 0 ? json_incref((json_t *)value) : NULL;
	return 0;
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

static int read_message(const json_t *value, const struct member *members, const char *at,
			json_t **ret, struct error *err)
{
	json_auto_t *plain = json_object();
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return malformed(at, "an object", err);
	json_object_foreach ((json_t *)value, key, item) {
		const struct member *member = find_member(members, key);
		cleanup_free char *item_at = xasprintf("%s%s%s", at, *at ? "." : "", key);
		json_t *made = NULL;

		if (!member)
			return error_set(err, ERROR_UNSUPPORTED, "%s is not known to this version",
					 item_at);
		if (read_value(item, member, item_at, &made, err) < 0)
			return -1;
		if (made && member->unsupported) {
			json_decref(made);
			return error_set(err, ERROR_UNSUPPORTED,
					 "%s is not supported by this version", item_at);
		}
		if (made)
			json_object_set_new(plain, key, made);
	}
	*ret = json_incref(plain);
	return 0;
}

static int read_list(const json_t *value, const struct member *member, const char *at, json_t **ret,
		     struct error *err)
{
	struct member single = *member;
	json_auto_t *list = json_array();
	json_t *item;
	size_t i;

	single.repeated = false;
	if (!json_is_array(value))
		return malformed(at, "an array", err);
	json_array_foreach (value, i, item) {
		cleanup_free char *item_at = xasprintf("%s[%zu]", at, i);
		json_t *made = NULL;

		if (json_is_null(item))
			return malformed(item_at, "a value", err);
		if (read_value(item, &single, item_at, &made, err) < 0)
			return -1;
		if (!made)
			made = member->kind == NUMBER ? json_integer(0) : json_string("");
		json_array_append_new(list, made);
	}
	*ret = json_array_size(list) > 0 ? json_incref(list) : NULL;
	return 0;
}

static int read_value(const json_t *value, const struct member *member, const char *at,
		      json_t **ret, struct error *err)
{
	if (json_is_null(value))
		return 0;
	if (member->repeated)
		return read_list(value, member, at, ret, err);
	switch (member->kind) {
	case NUMBER:
	case FILE_MODE:
		return read_number(value, member, at, ret, err);
	case BYTES:
		return read_bytes(value, at, ret, err);
	case ENUMERATION:
		return read_enumeration(value, member, at, ret, err);
	case MESSAGE:
		return read_message(value, member->members, at, ret, err);
	case MAP:
		return read_map(value, at, ret, err);
	case BOOLEAN:
		if (!json_is_boolean(value))
			return malformed(at, "a boolean", err);
		*ret = json_is_true(value) ? json_true() : NULL;
		return 0;
	case TEXT:
		break;
	}
	if (!json_is_string(value))
		return malformed(at, "a string", err);
	*ret = *json_string_value(value) ? json_incref((json_t *)value) : NULL;
	return 0;
}

json_t *message_read(const json_t *value, const struct member *members, const char *at,
		     struct error *err)
{
	json_t *plain = NULL;

	return read_message(value, members, at, &plain, err) < 0 ? NULL : plain;
}
