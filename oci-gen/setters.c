/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/setters.h"

#include "lib/cleanup.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int set_true(struct generation *g, const struct option_rule *rule, const char *value,
	     struct error *err)
{
	(void)value;
	(void)err;
	pointer_set(g->config, rule->pointer, json_true());
	return 0;
}

int set_text(struct generation *g, const struct option_rule *rule, const char *value,
	     struct error *err)
{
	if (!*value)
		return error_set(err, ERROR_USAGE, "the value is empty");
	pointer_set(g->config, rule->pointer, json_string(value));
	return 0;
}

/* Parse a number that ends at *end, within the rule's bounds once it is multiplied by `unit`. */
static int parse_number(const struct option_rule *rule, const char *value, long long unit,
			const char *stop, long long *number, struct error *err)
{
	char *end;

	errno = 0;
	long long parsed = strtoll(value, &end, 10);
	if (errno || end == value || end != stop)
		return error_set(err, ERROR_USAGE, "\"%s\" is not a number", value);
	if (__builtin_mul_overflow(parsed, unit, &parsed) || parsed < rule->min ||
	    parsed > rule->max)
		return error_set(err, ERROR_USAGE, "%s is not between %lld and %lld", value,
				 rule->min, rule->max);
	*number = parsed;
	return 0;
}

int set_number(struct generation *g, const struct option_rule *rule, const char *value,
	       struct error *err)
{
	long long number = 0;

	if (parse_number(rule, value, 1, value + strlen(value), &number, err) < 0)
		return -1;
	pointer_set(g->config, rule->pointer, json_integer(number));
	return 0;
}

int set_bytes(struct generation *g, const struct option_rule *rule, const char *value,
	      struct error *err)
{
	static const char suffixes[] = "kmgt";
	const char *stop = value + strspn(value, "-0123456789");
	const char *suffix = *stop ? strchr(suffixes, *stop | 0x20) : NULL;
	long long unit = 1, number = 0;

	if (*stop && (!suffix || stop[1]))
		return error_set(err, ERROR_USAGE,
				 "\"%s\" is not a number of bytes (with k, m, g or t)", value);
	if (suffix)
		unit = 1LL << 10 * (suffix - suffixes + 1);
	if (parse_number(rule, value, unit, stop, &number, err) < 0)
		return -1;
	pointer_set(g->config, rule->pointer, json_integer(number));
	return 0;
}

int add_path(struct generation *g, const struct option_rule *rule, const char *value,
	     struct error *err)
{
	if (strcmp(value, "none") == 0) {
		pointer_set(g->config, rule->pointer, json_array());
		return 0;
	}
	if (value[0] != '/')
		return error_set(err, ERROR_USAGE, "\"%s\" is neither an absolute path nor none",
				 value);
	json_array_append_new(pointer_array(g->config, rule->pointer), json_string(value));
	return 0;
}

/* "KEY=VALUE" into the object at the rule's pointer. */
static int set_pair(struct generation *g, const struct option_rule *rule, const char *value,
		    struct error *err)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return error_set(err, ERROR_USAGE, "\"%s\" is not KEY=VALUE", value);

	cleanup_free char *key = xstrndup(value, (size_t)(equals - value));
	json_object_set_new(pointer_object(g->config, rule->pointer), key, json_string(equals + 1));
	return 0;
}

int add_annotation(struct generation *g, const struct option_rule *rule, const char *value,
		   struct error *err)
{
	return set_pair(g, rule, value, err);
}

int add_sysctl(struct generation *g, const struct option_rule *rule, const char *value,
	       struct error *err)
{
	return set_pair(g, rule, value, err);
}
