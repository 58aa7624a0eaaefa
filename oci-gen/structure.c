/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json against the tables of schema.c. */
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "oci-gen/findings.h"
#include "oci-gen/known.h"
#include "oci-gen/leaves.h"
#include "oci-gen/pointer.h"
#include "oci-gen/schema.h"

#include <limits.h>
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

/* Where a value is: in what, and its key or index there. Its pointer is made for findings only. */
struct place {
	const struct place *above; /* NULL: it is the whole */
	const char *key;	   /* NULL: an index */
	size_t index;
};

static char *pointer_of(const struct place *place)
{
	if (!place->above)
		return xstrdup("");

	cleanup_free char *above = pointer_of(place->above);
	return place->key ? pointer_join(above, place->key) : pointer_index(above, place->index);
}

static void add(struct findings *findings, const char *name, const char *spec,
		const struct place *place, const char *message)
{
	const struct rule rule = { name, SEVERITY_ERROR, spec };
	cleanup_free char *pointer = pointer_of(place);

	findings_add(findings, &rule, pointer, "%s", message);
}

/* What a string, number or array must be beyond its type. */
static void check_value(const json_t *value, const struct field *field, const char *spec,
			const struct place *place, struct findings *findings)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	if (field->not_empty && (text ? !*text : json_array_size(value) == 0))
		add(findings, "not-empty", spec, place, "must not be empty");
	if (text && field->values && !known_in(field->values, text)) {
		cleanup_free char *message = xasprintf("\"%.64s\" is not one of its values", text);

		add(findings, "enumeration", spec, place, message);
	}
	if (field->shape == NUMBER && (number < field->min || number > field->max)) {
		cleanup_free char *message = xasprintf("%lld is not between %lld and %lld",
						       (long long)number, field->min, field->max);

		add(findings, "range", spec, place, message);
	}
}

static void check_field(const json_t *value, const struct field *field, const char *around,
			const struct place *place, struct findings *findings);

static const struct field *find_member(const struct field *members, const char *key)
{
	for (; members->key; members++)
		if (strcmp(members->key, key) == 0)
			return members;
	return NULL;
}

const struct field *schema_find(const char *pattern, const char **spec)
{
	const struct field *field = &schema_config;

	*spec = field->spec;
	while (field && *pattern == '/' && field->shape != ANY) {
		size_t length = strcspn(++pattern, "/");
		cleanup_free char *key = xstrndup(pattern, length);

		field = field->members ? find_member(field->members, key) : field->element;
		if (field && field->spec)
			*spec = field->spec;
		pattern += length;
	}
	return field;
}

static const char *spec_of(const struct field *field, const char *otherwise)
{
	return field->spec ? field->spec : otherwise;
}

static void check_members(const json_t *object, const struct field *field, const char *spec,
			  const struct place *place, struct findings *findings)
{
	const struct rule unknown = { "unknown-member", SEVERITY_WARNING,
				      "config.md#extensibility" };
	const char *key;
	json_t *value;

	for (const struct field *member = field->members; member->key; member++)
		if (member->required && !json_object_get(object, member->key))
			add(findings, "required", spec_of(member, spec),
			    &(struct place){ place, member->key, 0 }, "is required");
	json_object_foreach ((json_t *)object, key, value) {
		const struct field *member = find_member(field->members, key);
		const struct place at = { place, key, 0 };

		if (member) {
			check_field(value, member, spec, &at, findings);
			continue;
		}
		cleanup_free char *pointer = pointer_of(&at);
		findings_add(findings, &unknown, pointer,
			     "is not in the specification: runtimes pass over it");
	}
}

static void check_elements(const json_t *value, const struct field *field, const char *spec,
			   const struct place *place, struct findings *findings)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		check_field(item, field->element, spec, &(struct place){ place, NULL, i },
			    findings);
	}
	json_object_foreach ((json_t *)value, key, item) {
		check_field(item, field->element, spec, &(struct place){ place, key, 0 }, findings);
	}
}

/* `around` is where the object around the value is described. */
static void check_field(const json_t *value, const struct field *field, const char *around,
			const struct place *place, struct findings *findings)
{
	const char *spec = spec_of(field, around);

	if (!has_shape(value, field->shape)) {
		cleanup_free char *message = xasprintf("must be %s", shape_names[field->shape]);

		add(findings, "type", spec, place, message);
		return;
	}
	check_value(value, field, spec, place, findings);
	if (field->members)
		check_members(value, field, spec, place, findings);
	else if (field->element)
		check_elements(value, field, spec, place, findings);
}

void structure_check(const json_t *config, struct findings *findings)
{
	const struct place whole = { NULL, NULL, 0 };

	check_field(config, &schema_config, schema_config.spec, &whole, findings);
}

void structure_check_clamped(const json_t *pointers, struct findings *findings)
{
	const json_t *item;
	size_t i;

	json_array_foreach (pointers, i, item) {
		const char *pointer = json_string_value(item), *spec;
		cleanup_free char *pattern = leaves_pattern(pointer);
		const struct field *field = schema_find(pattern, &spec);
		const struct rule rule = { "range", SEVERITY_ERROR, spec };

		/* what can be negative is signed, and no larger */
		if (field && field->shape == NUMBER && field->min < 0 && field->max == LLONG_MAX)
			findings_add(findings, &rule, pointer, "is above %lld", LLONG_MAX);
	}
}
