/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json against the tables of schema.c. */
#include "oci-gen/findings.h"

#include "lib/cleanup.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/schema.h"

#include <stdlib.h>
#include <string.h>

static const char *const shape_names[] = {
	[ANY] = "anything",	 [TEXT] = "a string",  [NUMBER] = "an integer",
	[BOOLEAN] = "a boolean", [ARRAY] = "an array", [OBJECT] = "an object",
	[MAP] = "an object",
};

static bool has_shape(const json_t *value, enum shape shape)
{
	switch (shape) {
	case ANY:
		return true;
	case TEXT:
		return json_is_string(value);
	case NUMBER:
		return json_is_integer(value);
	case BOOLEAN:
		return json_is_boolean(value);
	case ARRAY:
		return json_is_array(value);
	case OBJECT:
	case MAP:
		return json_is_object(value);
	}
	return false;
}

static void add(struct findings *findings, const char *name, const char *spec, const char *pointer,
		const char *message)
{
	const struct rule rule = { name, SEVERITY_ERROR, spec };

	findings_add(findings, &rule, pointer, "%s", message);
}

/* What a string, number or array must be beyond its type. */
static void check_value(const json_t *value, const struct field *field, const char *spec,
			const char *pointer, struct findings *findings)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	if (field->not_empty && (text ? !*text : json_array_size(value) == 0))
		add(findings, "not-empty", spec, pointer, "must not be empty");
	if (text && field->values && !known_in(field->values, text)) {
		const struct rule rule = { "enumeration", SEVERITY_ERROR, spec };

		findings_add(findings, &rule, pointer, "\"%.64s\" is not one of its values", text);
	}
	if (field->shape == NUMBER && (number < field->min || number > field->max)) {
		const struct rule rule = { "range", SEVERITY_ERROR, spec };

		findings_add(findings, &rule, pointer, "%lld is not between %lld and %lld",
			     (long long)number, field->min, field->max);
	}
}

static void check_field(const json_t *value, const struct field *field, const char *spec,
			const char *pointer, struct findings *findings);

static const struct field *find_member(const struct field *members, const char *key)
{
	for (; members->key; members++)
		if (strcmp(members->key, key) == 0)
			return members;
	return NULL;
}

static void check_members(const json_t *object, const struct field *field, const char *pointer,
			  struct findings *findings)
{
	const char *key;
	json_t *value;

	for (const struct field *member = field->members; member->key; member++) {
		cleanup_free char *at = pointer_join(pointer, member->key);

		if (member->required && !json_object_get(object, member->key))
			add(findings, "required", field->spec, at, "is required");
	}
	json_object_foreach ((json_t *)object, key, value) {
		const struct field *member = find_member(field->members, key);
		const struct rule unknown = { "unknown-member", SEVERITY_WARNING,
					      "config.md#extensibility" };
		cleanup_free char *at = pointer_join(pointer, key);

		if (member)
			check_field(value, member, field->spec, at, findings);
		else
			findings_add(findings, &unknown, at,
				     "is not in the specification: runtimes pass over it");
	}
}

static void check_elements(const json_t *value, const struct field *field, const char *spec,
			   const char *pointer, struct findings *findings)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		cleanup_free char *at = pointer_index(pointer, i);

		check_field(item, field->element, spec, at, findings);
	}
	json_object_foreach ((json_t *)value, key, item) {
		cleanup_free char *at = pointer_join(pointer, key);

		check_field(item, field->element, spec, at, findings);
	}
}

/* `spec` is where the object around the value is described. */
static void check_field(const json_t *value, const struct field *field, const char *spec,
			const char *pointer, struct findings *findings)
{
	if (!has_shape(value, field->shape)) {
		const struct rule rule = { "type", SEVERITY_ERROR, spec };

		findings_add(findings, &rule, pointer, "must be %s", shape_names[field->shape]);
		return;
	}
	check_value(value, field, spec, pointer, findings);
	if (field->members)
		check_members(value, field, pointer, findings);
	else if (field->element)
		check_elements(value, field, spec, pointer, findings);
}

void structure_check(const json_t *config, struct findings *findings)
{
	check_field(config, &schema_config, schema_config.spec, "", findings);
}
