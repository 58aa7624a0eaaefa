/* SPDX-License-Identifier: Apache-2.0 */
/* Options about devices, and resources that are limited by device, page size or interface. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/cdi.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static json_t *list_of(const struct setting *s)
{
	return pointer_array(s->g->config, s->rule->pointer);
}

/* The whole text as a number from 0 to max. */
static bool parse_number(const char *text, int base, long long max, json_int_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, base);
	return !errno && *text >= '0' && *text <= '9' && !*end && *number <= max;
}

/* "fileMode=438", "uid=1", "gid=1" */
static bool set_device_member(json_t *device, const char *text)
{
	static const struct {
		const char *key;
		long long max;
	} members[] = { { "fileMode", 07777 }, { "uid", UINT32_MAX }, { "gid", UINT32_MAX } };

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		size_t length = strlen(members[i].key);
		json_int_t number;

		if (strncmp(text, members[i].key, length) != 0 || text[length] != '=')
			continue;

		/* a mode is decimal, or octal as people write it */
		const char *value = text + length + 1;
		if (!parse_number(value, *value == '0' ? 8 : 10, members[i].max, &number))
			return false;
		json_object_set_new(device, members[i].key, json_integer(number));
		return true;
	}
	return false;
}

/* The device of TYPE:MAJOR:MINOR:PATH[:MEMBER=NUMBER…], or NULL. The caller owns it. */
static json_t *parse_device(const char *text)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *part;
	const char *fields[4];
	json_int_t major, minor;

	for (int i = 0; i < 4; i++)
		fields[i] = strsep(&rest, ":");
	if (!fields[3] || !*fields[3] || !parse_number(fields[1], 10, INT32_MAX, &major) ||
	    !parse_number(fields[2], 10, INT32_MAX, &minor))
		return NULL;

	json_auto_t *device = json_pack("{s:s, s:I, s:I, s:s}", "type", fields[0], "major", major,
					"minor", minor, "path", fields[3]);
	while ((part = strsep(&rest, ":")))
		if (!set_device_member(device, part))
			return NULL;
	return json_incref(device);
}

int add_device(const struct setting *s)
{
	json_t *devices = list_of(s), *device = parse_device(s->value);

	if (!device)
		return setting_malformed(s);
	json_array_remove(devices, setting_find(devices, "path", json_text(device, "path", "")));
	json_array_append_new(devices, device);
	return 0;
}

int remove_device(const struct setting *s)
{
	json_t *devices = list_of(s);

	json_array_remove(devices, setting_find(devices, "path", s->value));
	return 0;
}

/* "type=c", "major=1", "minor=3", "access=rw" */
static bool set_rule_member(json_t *rule, const char *text)
{
	const char *equals = strchr(text, '=');
	cleanup_free char *key = xstrndup(text, equals ? (size_t)(equals - text) : 0);
	const char *value = equals ? equals + 1 : "";
	json_int_t number;

	if (strcmp(key, "type") == 0 || strcmp(key, "access") == 0) {
		json_object_set_new(rule, key, json_string(value));
		return *value != '\0';
	}
	if ((strcmp(key, "major") != 0 && strcmp(key, "minor") != 0) ||
	    !parse_number(value, 10, INT32_MAX, &number))
		return false;
	json_object_set_new(rule, key, json_integer(number));
	return true;
}

/* A copy of a rule that says which access it is about, which the specification leaves open: neither
 * runc nor crun starts with one that does not. The caller owns it. */
static json_t *with_access(const json_t *rule)
{
	json_t *whole = json_copy((json_t *)rule);

	if (!json_object_get(whole, "access"))
		json_object_set_new(whole, "access", json_string("rwm"));
	return whole;
}

/* The rule of allow|deny[,MEMBER=VALUE…], or NULL. The caller owns it. */
static json_t *parse_device_rule(const char *text)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *part = strsep(&rest, ",");
	bool allow = strcmp(part, "allow") == 0;

	if (!allow && strcmp(part, "deny") != 0)
		return NULL;

	json_auto_t *rule = json_pack("{s:b}", "allow", allow);
	while ((part = strsep(&rest, ",")))
		if (!set_rule_member(rule, part))
			return NULL;
	return with_access(rule);
}

int add_device_rule(const struct setting *s)
{
	json_t *rule = parse_device_rule(s->value);

	if (!rule)
		return setting_malformed(s);
	json_array_append_new(list_of(s), rule);
	return 0;
}

int remove_device_rule(const struct setting *s)
{
	json_auto_t *rule = parse_device_rule(s->value);
	json_t *rules = list_of(s);

	if (!rule)
		return setting_malformed(s);
	for (size_t i = json_array_size(rules); i-- > 0;) {
		json_auto_t *other = with_access(json_array_get(rules, i));

		if (json_equal(other, rule))
			json_array_remove(rules, i);
	}
	return 0;
}

int add_cdi_device(const struct setting *s)
{
	if (cdi_check_name(s->value, s->err) < 0)
		return -1;
	json_array_append_new(s->g->cdi_devices, json_string(s->value));
	return 0;
}

int add_cdi_directory(const struct setting *s)
{
	if (!s->g->cdi_directories)
		s->g->cdi_directories = json_array();
	json_array_append_new(s->g->cdi_directories, json_string(s->value));
	return 0;
}

static size_t find_block_device(const json_t *list, json_int_t major, json_int_t minor)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		if (json_integer_value(json_object_get(entry, "major")) == major &&
		    json_integer_value(json_object_get(entry, "minor")) == minor)
			break;
	}
	return i;
}

/* Weights and rates: an entry of a list for each device; -1 takes its member away, and the entry
 * with the last one. */
int set_block_device(const struct setting *s)
{
	enum { BARE_ENTRY = 2 }; /* major and minor */
	long long numbers[3];

	if (setting_numbers(s, s->value, numbers, 3) < 0)
		return -1;
	if (numbers[0] < 0 || numbers[1] < 0)
		return setting_malformed(s);
	if (numbers[2] != -1 && (numbers[2] < s->rule->min || numbers[2] > s->rule->max))
		return error_set(s->err, ERROR_USAGE, "%lld is not between %lld and %lld",
				 numbers[2], s->rule->min, s->rule->max);

	json_t *list = list_of(s);
	size_t i = find_block_device(list, numbers[0], numbers[1]);
	if (i == json_array_size(list))
		json_array_append_new(list, json_pack("{s:I, s:I}", "major", (json_int_t)numbers[0],
						      "minor", (json_int_t)numbers[1]));

	json_t *entry = json_array_get(list, i);
	if (numbers[2] == -1)
		json_object_del(entry, s->rule->member);
	else
		json_object_set_new(entry, s->rule->member, json_integer(numbers[2]));
	if (json_object_size(entry) == BARE_ENTRY)
		json_array_remove(list, i);
	return 0;
}

int add_huge_page(const struct setting *s)
{
	json_t *limits = list_of(s);
	size_t length = strcspn(s->value, ":");
	cleanup_free char *size = xstrndup(s->value, length);
	json_int_t limit;

	if (!s->value[length] || !parse_number(s->value + length + 1, 10, INT64_MAX, &limit))
		return setting_malformed(s);
	json_array_remove(limits, setting_find(limits, "pageSize", size));
	json_array_append_new(limits, json_pack("{s:s, s:I}", "pageSize", size, "limit", limit));
	return 0;
}

int remove_huge_page(const struct setting *s)
{
	json_t *limits = list_of(s);

	json_array_remove(limits, setting_find(limits, "pageSize", s->value));
	return 0;
}

int set_network_priority(const struct setting *s)
{
	json_t *priorities = list_of(s);
	size_t length = strcspn(s->value, ":");
	cleanup_free char *name = xstrndup(s->value, length);
	const char *number = s->value + length + (s->value[length] == ':');
	json_int_t priority = -1;

	if (length == 0 ||
	    (strcmp(number, "-1") != 0 && !parse_number(number, 10, UINT32_MAX, &priority)))
		return setting_malformed(s);
	json_array_remove(priorities, setting_find(priorities, "name", name));
	if (priority >= 0)
		json_array_append_new(priorities,
				      json_pack("{s:s, s:I}", "name", name, "priority", priority));
	return 0;
}

int set_rdma(const struct setting *s)
{
	size_t length = strcspn(s->value, ":");
	cleanup_free char *device = xstrndup(s->value, length);
	long long numbers[2];

	if (length == 0 || !s->value[length])
		return setting_malformed(s);
	if (setting_numbers(s, s->value + length + 1, numbers, 2) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if (numbers[i] < s->rule->min || numbers[i] > s->rule->max)
			return setting_malformed(s);
	json_object_set_new(pointer_object(s->g->config, s->rule->pointer), device,
			    json_pack("{s:I, s:I}", "hcaHandles", (json_int_t)numbers[0],
				      "hcaObjects", (json_int_t)numbers[1]));
	return 0;
}

int add_windows_device(const struct setting *s)
{
	const char *type = strrchr(s->value, ':');

	if (!type || type == s->value || !type[1])
		return setting_malformed(s);

	cleanup_free char *id = xstrndup(s->value, (size_t)(type - s->value));
	json_array_append_new(list_of(s), json_pack("{s:s, s:s}", "id", id, "idType", type + 1));
	return 0;
}
