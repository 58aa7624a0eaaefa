/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/capabilities.h"

#include "oci-gen/known.h"

#include <strings.h>
#include <sys/prctl.h>

static uint64_t bit(int number)
{
	return UINT64_C(1) << number;
}

uint64_t capabilities_available(void)
{
	uint64_t set = 0;

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (prctl(PR_CAPBSET_READ, i) == 1)
			set |= bit(i);
	return set;
}

static int parse(const char *name, struct error *err)
{
	int number = known_capability(name);

	if (number < 0)
		return error_set(err, ERROR_USAGE, "\"%s\" is not a capability (capabilities(7))",
				 name);
	return number;
}

int capabilities_add(struct capability_choice *choice, const char *name, struct error *err)
{
	if (strcasecmp(name, "ALL") == 0) {
		choice->all = true;
		return 0;
	}

	int number = parse(name, err);
	if (number < 0)
		return -1;
	if (!(capabilities_available() & bit(number)))
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s is not in the bounding set here, so no runtime can give it",
				 known_capabilities[number]);
	choice->added |= bit(number);
	return 0;
}

int capabilities_drop(struct capability_choice *choice, const char *name, struct error *err)
{
	if (strcasecmp(name, "ALL") == 0) {
		choice->none = true;
		return 0;
	}

	int number = parse(name, err);
	if (number < 0)
		return -1;
	choice->dropped |= bit(number);
	return 0;
}

uint64_t capabilities_resolve(const struct capability_choice *choice, uint64_t otherwise)
{
	uint64_t base = choice->all ? UINT64_MAX : choice->none ? 0 : otherwise;

	return ((base & ~choice->dropped) | choice->added) & capabilities_available();
}

json_t *capabilities_json(uint64_t set)
{
	json_t *names = json_array(), *json = json_object();

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (set & bit(i))
			json_array_append_new(names, json_string(known_capabilities[i]));
	/* copies, so that whoever changes one later does not change all */
	json_object_set_new(json, "bounding", json_deep_copy(names));
	json_object_set_new(json, "effective", json_deep_copy(names));
	json_object_set_new(json, "permitted", names);
	return json;
}
