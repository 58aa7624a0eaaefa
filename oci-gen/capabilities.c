/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/capabilities.h"

#include "oci-gen/known.h"

#include <strings.h>
#include <sys/prctl.h>

static const char *const set_names[CAPABILITY_SETS] = {
	[SET_BOUNDING] = "bounding",	   [SET_EFFECTIVE] = "effective",
	[SET_PERMITTED] = "permitted",	   [SET_AMBIENT] = "ambient",
	[SET_INHERITABLE] = "inheritable",
};

static uint64_t bit(int number)
{
	return UINT64_C(1) << number;
}

uint64_t capabilities_available(void)
{
	static uint64_t set; /* a call for each, and every set is resolved by them */
	static bool known;

	for (int i = 0; i < CAPABILITY_COUNT && !known; i++)
		if (prctl(PR_CAPBSET_READ, i) == 1)
			set |= bit(i);
	known = true;
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

static int choose(struct capability_choice *choice, unsigned sets, const char *name, bool add,
		  struct error *err)
{
	bool all = strcasecmp(name, "ALL") == 0;
	int number = all ? 0 : parse(name, err);

	if (number < 0)
		return -1;
	if (add && !all && !(capabilities_available() & bit(number)))
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s is not in the bounding set here, so no runtime can give it",
				 known_capabilities[number]);
	choice->changed = true;
	for (unsigned i = 0; i < CAPABILITY_SETS; i++) {
		if (!(sets >> i & 1))
			continue;
		if (all)
			*(add ? &choice->sets[i].all : &choice->sets[i].none) = true;
		else
			*(add ? &choice->sets[i].added : &choice->sets[i].dropped) |= bit(number);
	}
	return 0;
}

int capabilities_add(struct capability_choice *choice, unsigned sets, const char *name,
		     struct error *err)
{
	return choose(choice, sets, name, true, err);
}

int capabilities_drop(struct capability_choice *choice, unsigned sets, const char *name,
		      struct error *err)
{
	return choose(choice, sets, name, false, err);
}

void capabilities_read(struct capability_choice *choice, const json_t *json)
{
	const json_t *name;
	size_t i;

	for (int s = 0; s < CAPABILITY_SETS; s++) {
		choice->sets[s].otherwise = 0;
		json_array_foreach (json_object_get(json, set_names[s]), i, name) {
			int number = json_is_string(name)
					     ? known_capability(json_string_value(name))
					     : -1;

			if (number >= 0)
				choice->sets[s].otherwise |= bit(number);
		}
	}
}

int capabilities_check(const struct capability_choice *choice, struct error *err)
{
	uint64_t asked = choice->sets[SET_AMBIENT].all ? capabilities_resolve(choice, SET_AMBIENT)
						       : choice->sets[SET_AMBIENT].added;
	uint64_t beyond = asked & ~capabilities_resolve(choice, SET_INHERITABLE);

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (beyond & bit(i)) {
			error_set(err, ERROR_USAGE,
				  "%s is to be ambient, but is not in the inheritable set",
				  known_capabilities[i]);
			return error_hint(err,
					  "add it to that, too: --process-cap-add-inheritable");
		}
	return 0;
}

uint64_t capabilities_resolve(const struct capability_choice *choice, enum capability_set set)
{
	uint64_t base = choice->sets[set].all	 ? UINT64_MAX
			: choice->sets[set].none ? 0
						 : choice->sets[set].otherwise;

	return ((base & ~choice->sets[set].dropped) | choice->sets[set].added) &
	       capabilities_available();
}

static json_t *set_json(uint64_t set)
{
	json_t *names = json_array();

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (set & bit(i))
			json_array_append_new(names, json_string(known_capabilities[i]));
	return names;
}

json_t *capabilities_json(const struct capability_choice *choice)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < CAPABILITY_SETS; i++) {
		uint64_t set = capabilities_resolve(choice, i);

		if (set || (ORDINARY_SETS >> i & 1))
			json_object_set_new(json, set_names[i], set_json(set));
	}
	return json;
}
