/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/setters.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int setting_malformed(const struct setting *s)
{
	return error_set(s->err, ERROR_USAGE, "\"%s\" is not %s", s->value, s->rule->option.value);
}

int setting_numbers(const struct setting *s, const char *text, long long *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *end;

		errno = 0;
		numbers[i] = strtoll(text, &end, 10);
		if (errno || end == text || strspn(text, "-0123456789") != (size_t)(end - text) ||
		    *end != (i + 1 < count ? ':' : '\0'))
			return setting_malformed(s);
		text = end + 1;
	}
	return 0;
}

size_t setting_find(const json_t *list, const char *key, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		if (strcmp(json_text(entry, key, ""), text) == 0)
			return i;
	}
	return json_array_size(list);
}

int refuse_obsolete(const struct setting *s)
{
	error_set(s->err, ERROR_UNSUPPORTED, "the runtime specification has given this up");
	return error_hint(s->err, "%s", s->rule->member);
}

int clear_member(const struct setting *s)
{
	pointer_remove(s->g->config, s->rule->pointer);
	return 0;
}

int set_true(const struct setting *s)
{
	pointer_set(s->g->config, s->rule->pointer, json_true());
	return 0;
}

int set_one(const struct setting *s)
{
	pointer_set(s->g->config, s->rule->pointer, json_integer(1));
	return 0;
}

int set_text(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	pointer_set(s->g->config, s->rule->pointer, json_string(s->value));
	return 0;
}

int set_absolute(const struct setting *s)
{
	return *s->value == '/'
		       ? set_text(s)
		       : error_set(s->err, ERROR_USAGE, "\"%s\" is not an absolute path", s->value);
}

int add_text(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	json_array_append_new(pointer_array(s->g->config, s->rule->pointer), json_string(s->value));
	return 0;
}

/* The value as a JSON object. The caller owns it. */
static json_t *parse_object(const struct setting *s)
{
	json_t *object = json_parse(s->value, strlen(s->value), "the value", s->err);

	if (!object)
		s->err->kind = ERROR_USAGE;
	if (!object || json_is_object(object))
		return object;
	json_decref(object);
	error_set(s->err, ERROR_USAGE, "the value is not a JSON object");
	return NULL;
}

int set_json(const struct setting *s)
{
	json_t *object = parse_object(s);

	if (!object)
		return -1;
	pointer_set(s->g->config, s->rule->pointer, object);
	return 0;
}

int add_json(const struct setting *s)
{
	json_t *object = parse_object(s);

	if (!object)
		return -1;
	json_array_append_new(pointer_array(s->g->config, s->rule->pointer), object);
	return 0;
}

/* A hook takes the place of one with the same program. */
int add_hook(const struct setting *s)
{
	json_t *hooks = pointer_array(s->g->config, s->rule->pointer);
	json_t *hook = parse_object(s);

	if (!hook)
		return -1;

	size_t i = setting_find(hooks, "path", json_text(hook, "path", ""));
	if (i < json_array_size(hooks))
		json_array_set_new(hooks, i, hook);
	else
		json_array_append_new(hooks, hook);
	return 0;
}

/* The value up to `stop` is a number, which counts `unit`s; the whole within the rule's bounds. */
static int store_number(const struct setting *s, const char *stop, long long unit)
{
	long long min = s->rule->min, max = s->rule->max;
	char *end;

	errno = 0;
	long long number = strtoll(s->value, &end, 10);
	if (errno || end == s->value || end != stop ||
	    strspn(s->value, "-0123456789") != (size_t)(stop - s->value))
		return error_set(s->err, ERROR_USAGE, "\"%s\" is not a number", s->value);
	if (__builtin_mul_overflow(number, unit, &number) || number < min || number > max)
		return error_set(s->err, ERROR_USAGE, "%s is not between %lld and %lld", s->value,
				 min, max);
	pointer_set(s->g->config, s->rule->pointer, json_integer(number));
	return 0;
}

int set_number(const struct setting *s)
{
	return store_number(s, s->value + strlen(s->value), 1);
}

int set_octal(const struct setting *s)
{
	char *end;
	long number = strtol(s->value, &end, 8);

	if (!*s->value || s->value[strspn(s->value, "01234567")] || number > s->rule->max)
		return error_set(s->err, ERROR_USAGE, "\"%s\" is not an octal number up to %llo",
				 s->value, (unsigned long long)s->rule->max);
	pointer_set(s->g->config, s->rule->pointer, json_integer(number));
	return 0;
}

int set_bytes(const struct setting *s)
{
	static const char suffixes[] = "kmgt";
	const char *stop = s->value + strspn(s->value, "-0123456789");
	const char *suffix = *stop ? strchr(suffixes, *stop | 0x20) : NULL;

	if (*stop && (!suffix || stop[1]))
		return error_set(s->err, ERROR_USAGE,
				 "\"%s\" is not a number of bytes (with k, m, g or t)", s->value);
	return store_number(s, stop, suffix ? 1LL << 10 * (suffix - suffixes + 1) : 1);
}

int add_path(const struct setting *s)
{
	if (strcmp(s->value, "none") == 0) {
		pointer_set(s->g->config, s->rule->pointer, json_array());
		return 0;
	}
	if (s->value[0] != '/')
		return error_set(s->err, ERROR_USAGE, "\"%s\" is neither an absolute path nor none",
				 s->value);
	json_array_append_new(pointer_array(s->g->config, s->rule->pointer), json_string(s->value));
	return 0;
}

/* "KEY=VALUE" into the object at the rule's pointer. */
int set_pair(const struct setting *s)
{
	const char *equals = strchr(s->value, '=');

	if (!equals || equals == s->value)
		return error_set(s->err, ERROR_USAGE, "\"%s\" is not KEY=VALUE", s->value);

	cleanup_free char *key = xstrndup(s->value, (size_t)(equals - s->value));
	json_object_set_new(pointer_object(s->g->config, s->rule->pointer), key,
			    json_string(equals + 1));
	return 0;
}
