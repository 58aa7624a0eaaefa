/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/setters.h"

#include "lib/cleanup.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int set_true(const struct setting *s)
{
	pointer_set(s->g->config, s->rule->pointer, json_true());
	return 0;
}

int set_text(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	pointer_set(s->g->config, s->rule->pointer, json_string(s->value));
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
