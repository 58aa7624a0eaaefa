/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about which ids of the host those of a container are, as the kernel has them
 * (user_namespaces(7)). */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

/* The most that the kernel takes in one list, and the id that is none. */
enum { MAPPINGS_MAX = 340 };
static const json_int_t no_id = UINT32_MAX;

struct mapping {
	json_int_t container, host, size;
};

/* False where a member is not an id: that is structure_check()'s. */
static bool read_mapping(const json_t *entry, struct mapping *mapping)
{
	const struct {
		const char *key;
		json_int_t *value;
	} members[] = {
		{ "containerID", &mapping->container },
		{ "hostID", &mapping->host },
		{ "size", &mapping->size },
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *value = json_object_get(entry, members[i].key);

		*members[i].value = json_integer_value(value);
		if (!json_is_integer(value) || *members[i].value < 0 || *members[i].value > no_id)
			return false;
	}
	return true;
}

static bool is_beyond(const struct mapping *m)
{
	return m->container + m->size > no_id || m->host + m->size > no_id;
}

static bool overlap(json_int_t first, json_int_t size, json_int_t other, json_int_t other_size)
{
	return first < other + other_size && other < first + size;
}

static bool overlaps_one(const struct mapping *m, const struct mapping *others, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (overlap(m->container, m->size, others[i].container, others[i].size) ||
		    overlap(m->host, m->size, others[i].host, others[i].size))
			return true;
	return false;
}

static void check_list(const json_t *list, const char *pointer, const struct rule *rule,
		       struct findings *findings)
{
	struct mapping mappings[MAPPINGS_MAX];
	size_t count = 0, i;
	const json_t *entry;

	if (json_array_size(list) > MAPPINGS_MAX) {
		findings_add(findings, rule, pointer, "has more than %d entries", MAPPINGS_MAX);
		return;
	}
	json_array_foreach (list, i, entry) {
		struct mapping m;

		if (!read_mapping(entry, &m))
			continue;
		if (m.size == 0)
			findings_add_entry(findings, rule, pointer, i, "size", "must not be 0");
		else if (is_beyond(&m))
			findings_add_entry(findings, rule, pointer, i, NULL,
					   "ends beyond the last id, %lld", (long long)no_id - 1);
		else if (overlaps_one(&m, mappings, count))
			findings_add_entry(findings, rule, pointer, i, NULL,
					   "maps an id that an earlier one maps");
		mappings[count++] = m;
	}
}

static const char *const container_mappings[] = { "/linux/uidMappings", "/linux/gidMappings" };
enum { CONTAINER_MAPPINGS = sizeof container_mappings / sizeof *container_mappings };

static void check_container(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	for (size_t i = 0; i < CONTAINER_MAPPINGS; i++)
		check_list(pointer_get(config, container_mappings[i]), container_mappings[i], rule,
			   findings);
}

static void check_mounts(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char *const members[] = { "uidMappings", "gidMappings" };
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
			cleanup_free char *at = xasprintf("/mounts/%zu/%s", i, members[m]);

			check_list(json_object_get(mount, members[m]), at, rule, findings);
		}
	}
}

/* True where the container has a user namespace of its own, which is to be made. */
static bool has_new_namespace(const json_t *config)
{
	const char *path;

	return rules_has_namespace(config, "user", &path) && !path;
}

static void check_required(const json_t *config, const struct rule *rule, struct findings *findings)
{
	for (size_t i = 0; has_new_namespace(config) && i < CONTAINER_MAPPINGS; i++)
		if (json_array_size(pointer_get(config, container_mappings[i])) == 0)
			findings_add(findings, rule, container_mappings[i],
				     "is required for a new user namespace");
}

static bool maps_root(const json_t *list)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const json_t *id = json_object_get(entry, "containerID");

		if (json_is_integer(id) && json_integer_value(id) == 0)
			return true;
	}
	return false;
}

/* Runtimes are root in the container before the process is what it is to be. */
static void check_root(const json_t *config, const struct rule *rule, struct findings *findings)
{
	for (size_t i = 0; has_new_namespace(config) && i < CONTAINER_MAPPINGS; i++) {
		const json_t *list = pointer_get(config, container_mappings[i]);

		if (json_array_size(list) > 0 && !maps_root(list))
			findings_add(findings, rule, container_mappings[i],
				     "does not map 0, which runtimes need");
	}
}

static const struct rule_check checks[] = {
	{ { "user-mappings", SEVERITY_ERROR, "config-linux.md#user-namespace-mappings" },
	  check_required },
	{ { "mapping", SEVERITY_ERROR, "config-linux.md#user-namespace-mappings" },
	  check_container },
	{ { "mapping", SEVERITY_ERROR, "config.md#posix-platform-mounts" }, check_mounts },
	{ { "mapping-root", SEVERITY_WARNING, "config-linux.md#user-namespace-mappings" },
	  check_root },
};

void rules_check_mappings(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
