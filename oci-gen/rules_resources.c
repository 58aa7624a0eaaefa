/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what a container may use: its control group, and shares of caches. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <stdlib.h>
#include <string.h>

static json_int_t resource(const json_t *config, const char *pointer, json_int_t otherwise)
{
	const json_t *value = pointer_get(config, pointer);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void check_memory(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_int_t limit = resource(config, "/linux/resources/memory/limit", 0);
	json_int_t swap = resource(config, "/linux/resources/memory/swap", 0);

	if (limit == 0 && swap > 0)
		findings_add(findings, rule, "/linux/resources/memory/swap",
			     "needs a memory limit");
	if (limit > 0 && swap > 0 && swap < limit)
		findings_add(findings, rule, "/linux/resources/memory/swap",
			     "memory and swap together are less than the memory limit");
}

/* Control groups v1 count memory and swap together; for v2 newer runtimes take the whole for swap.
 */
static void check_swap(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (resource(config, "/linux/resources/memory/limit", 0) < 0 &&
	    resource(config, "/linux/resources/memory/swap", 0) > 0)
		findings_add(findings, rule, "/linux/resources/memory/swap",
			     "is less than the memory limit, which is none: control groups v1 and "
			     "older runtimes refuse that");
}

static void check_reservation(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	json_int_t limit = resource(config, "/linux/resources/memory/limit", -1);

	if (limit > 0 && resource(config, "/linux/resources/memory/reservation", -1) > limit)
		findings_add(findings, rule, "/linux/resources/memory/reservation",
			     "is above the memory limit");
}

static void check_cpu(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_int_t period = resource(config, "/linux/resources/cpu/period", 0);
	json_int_t quota = resource(config, "/linux/resources/cpu/quota", 0);
	json_int_t burst = resource(config, "/linux/resources/cpu/burst", 0);
	json_int_t realtime = resource(config, "/linux/resources/cpu/realtimeRuntime", 0);
	json_int_t realtime_period = resource(config, "/linux/resources/cpu/realtimePeriod", 0);

	/* the bounds of the kernel's CFS bandwidth control */
	if (period != 0 && (period < 1000 || period > 1000000))
		findings_add(findings, rule, "/linux/resources/cpu/period",
			     "is not between 1000 and 1000000 microseconds");
	if (quota > 0 && quota < 1000)
		findings_add(findings, rule, "/linux/resources/cpu/quota",
			     "is less than 1000 microseconds");
	if (quota > 0 && burst > quota)
		findings_add(findings, rule, "/linux/resources/cpu/burst", "is above the quota");
	if (realtime_period > 0 && realtime > realtime_period)
		findings_add(findings, rule, "/linux/resources/cpu/realtimeRuntime",
			     "is above the realtimePeriod");
}

/* The number at the text, which is moved behind it; -1 where there is none. */
static long take_number(const char **text)
{
	return **text >= '0' && **text <= '9' ? strtol(*text, (char **)text, 10) : -1;
}

/* "0-3, 5": what cpuset files take. */
static bool is_number_list(const char *text)
{
	while (*text) {
		text += strspn(text, " ");
		long first = take_number(&text), last = first;

		if (*text == '-') {
			text++;
			last = take_number(&text);
		}
		if (first < 0 || last < first)
			return false;
		text += strspn(text, " ");
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return false;
	}
	return true;
}

static void check_list(const json_t *config, const char *pointer, const struct rule *rule,
		       struct findings *findings)
{
	const char *text = json_string_value(pointer_get(config, pointer));

	if (text && !is_number_list(text))
		findings_add(findings, rule, pointer, "\"%.64s\" is not a list such as 0-3,5",
			     text);
}

static void check_cpu_lists(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	check_list(config, "/linux/resources/cpu/cpus", rule, findings);
	check_list(config, "/linux/resources/cpu/mems", rule, findings);
}

static void check_exec_cpus(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	check_list(config, "/process/execCPUAffinity/initial", rule, findings);
	check_list(config, "/process/execCPUAffinity/final", rule, findings);
}

/* Some modes are about nodes, and some must not have any (set_mempolicy(2)). */
static void check_memory_policy(const json_t *config, const struct rule *rule,
				struct findings *findings)
{
	static const char *const without[] = { "MPOL_DEFAULT", "MPOL_LOCAL", NULL };
	static const char *const with[] = { "MPOL_BIND", "MPOL_INTERLEAVE",
					    "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY",
					    NULL };
	static const char pointer[] = "/linux/memoryPolicy/nodes";
	const json_t *policy = pointer_get(config, "/linux/memoryPolicy");
	const char *mode = json_text(policy, "mode", "");
	bool nodes = *json_text(policy, "nodes", "");

	check_list(config, pointer, rule, findings);
	if (nodes && known_in(without, mode))
		findings_add(findings, rule, pointer, "%s has no nodes", mode);
	if (!nodes && known_in(with, mode))
		findings_add(findings, rule, pointer, "%s needs nodes", mode);
}

/* A size as in the names of hugetlb files: 64KB, 2MB, 1GB. */
static void check_huge_pages(const json_t *config, const struct rule *rule,
			     struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/hugepageLimits"), i, entry) {
		const char *size = json_text(entry, "pageSize", "1GB");
		size_t digits = strspn(size, "0123456789");
		const char *unit = size + digits;

		if (digits == 0 || *size == '0' ||
		    (strcmp(unit, "KB") != 0 && strcmp(unit, "MB") != 0 && strcmp(unit, "GB") != 0))
			findings_add_entry(findings, rule, "/linux/resources/hugepageLimits", i,
					   NULL, "\"%.32s\" is not a page size such as 2MB", size);
	}
}

static void check_block_io(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/resources/blockIO/weightDevice"), i,
			    entry) {
		if (!json_object_get(entry, "weight") && !json_object_get(entry, "leafWeight"))
			findings_add_entry(findings, rule, "/linux/resources/blockIO/weightDevice",
					   i, NULL, "needs a weight or a leafWeight");
	}
}

/* Names of control files, beneath the container's cgroup. */
static void check_unified(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name;
	json_t *value;

	json_object_foreach (pointer_get(config, "/linux/resources/unified"), name, value) {
		cleanup_free char *at = pointer_join("/linux/resources/unified", name);

		if (!*name || strchr(name, '/'))
			findings_add(findings, rule, at, "is not the name of a control file");
	}
}

static void check_rdma(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name;
	json_t *device;

	json_object_foreach (pointer_get(config, "/linux/resources/rdma"), name, device) {
		cleanup_free char *at = pointer_join("/linux/resources/rdma", name);

		if (!json_object_get(device, "hcaHandles") &&
		    !json_object_get(device, "hcaObjects"))
			findings_add(findings, rule, at, "needs hcaHandles or hcaObjects");
	}
}

static void check_cache_schema(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	static const char cache[] = "L3:";
	const char *schema =
		json_text(pointer_get(config, "/linux/intelRdt"), "l3CacheSchema", cache);

	if (strncmp(schema, cache, strlen(cache)) != 0 || strchr(schema, '\n'))
		findings_add(findings, rule, "/linux/intelRdt/l3CacheSchema",
			     "should be one line that begins with L3:");
}

/* Each is one line of a file of resctrl. */
static void check_cache_shares(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	static const char bandwidth[] = "MB:";
	const json_t *rdt = pointer_get(config, "/linux/intelRdt"), *line;
	const char *memory = json_text(rdt, "memBwSchema", bandwidth);
	size_t i;

	if (strncmp(memory, bandwidth, strlen(bandwidth)) != 0 || strchr(memory, '\n'))
		findings_add(findings, rule, "/linux/intelRdt/memBwSchema",
			     "is not one line that begins with MB:");
	json_array_foreach (json_object_get(rdt, "schemata"), i, line) {
		const char *text = json_string_value(line);

		if (text && strchr(text, '\n'))
			findings_add_entry(findings, rule, "/linux/intelRdt/schemata", i, NULL,
					   "holds a newline");
	}
}

/* The name of a directory of resctrl; "/" is its root. */
static void check_class(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *name = json_text(pointer_get(config, "/linux/intelRdt"), "closID", "/");

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    (strcmp(name, "/") != 0 && strchr(name, '/')))
		findings_add(findings, rule, "/linux/intelRdt/closID",
			     "is not the name of a directory, or / alone");
}

static const struct rule_check checks[] = {
	{ { "memory", SEVERITY_ERROR, "config-linux.md#memory" }, check_memory },
	{ { "memory-swap", SEVERITY_WARNING, "config-linux.md#memory" }, check_swap },
	{ { "memory-reservation", SEVERITY_WARNING, "config-linux.md#memory" }, check_reservation },
	{ { "cpu", SEVERITY_ERROR, "config-linux.md#cpu" }, check_cpu },
	{ { "cpu-list", SEVERITY_ERROR, "config-linux.md#cpu" }, check_cpu_lists },
	{ { "exec-cpu-list", SEVERITY_ERROR, "config.md#linux-process" }, check_exec_cpus },
	{ { "memory-policy", SEVERITY_ERROR, "config-linux.md#memory-policy" },
	  check_memory_policy },
	{ { "huge-page-size", SEVERITY_ERROR, "config-linux.md#huge-page-limits" },
	  check_huge_pages },
	{ { "block-io-weight", SEVERITY_ERROR, "config-linux.md#block-io" }, check_block_io },
	{ { "unified", SEVERITY_ERROR, "config-linux.md#unified" }, check_unified },
	{ { "rdma", SEVERITY_ERROR, "config-linux.md#rdma" }, check_rdma },
	{ { "intel-rdt", SEVERITY_ERROR, "config-linux.md#intelrdt" }, check_cache_shares },
	{ { "intel-rdt", SEVERITY_ERROR, "config-linux.md#intelrdt" }, check_class },
	{ { "intel-rdt-cache", SEVERITY_WARNING, "config-linux.md#intelrdt" }, check_cache_schema },
};

void rules_check_resources(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
