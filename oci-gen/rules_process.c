/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the process that a container of Linux begins with. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>

static const char *const capability_sets[] = { "bounding", "effective", "permitted", "inheritable",
					       "ambient" };

static uint64_t capability_set(const json_t *config, const char *name)
{
	const json_t *sets = pointer_get(config, "/process/capabilities"), *item;
	uint64_t set = 0;
	size_t i;

	json_array_foreach (json_object_get(sets, name), i, item) {
		const char *text = json_string_value(item);
		int number = text ? known_capability(text) : -1;

		if (number >= 0)
			set |= UINT64_C(1) << number;
	}
	return set;
}

/* Runtimes are to warn of these, and start the container without. */
static void check_capabilities(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	const json_t *sets = pointer_get(config, "/process/capabilities"), *item;
	size_t i;

	for (size_t s = 0; s < sizeof capability_sets / sizeof *capability_sets; s++) {
		cleanup_free char *set = pointer_join("/process/capabilities", capability_sets[s]);

		json_array_foreach (json_object_get(sets, capability_sets[s]), i, item) {
			const char *text = json_string_value(item);

			if (text && !known_in(known_capabilities, text))
				findings_add_entry(findings, rule, set, i, NULL,
						   "\"%.64s\" is not a capability", text);
		}
	}
}

/* A set that must lie within another. */
static void check_subset(const json_t *config, const char *inner, const char *outer,
			 const struct rule *rule, struct findings *findings)
{
	uint64_t beyond = capability_set(config, inner) & ~capability_set(config, outer);
	cleanup_free char *at = pointer_join("/process/capabilities", inner);

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (beyond >> i & 1)
			findings_add(findings, rule, at, "%s is not in the %s set",
				     known_capabilities[i], outer);
}

static void check_capability_sets(const json_t *config, const struct rule *rule,
				  struct findings *findings)
{
	check_subset(config, "effective", "permitted", rule, findings);
	check_subset(config, "ambient", "permitted", rule, findings);
}

/* The kernel grants no others, and runtimes start the container without: their own `spec` verbs
 * write such sets. */
static void check_ambient(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char pointer[] = "/process/capabilities/ambient";
	uint64_t inheritable = capability_set(config, "inheritable");
	const json_t *item;
	size_t i;

	json_array_foreach (pointer_get(config, pointer), i, item) {
		const char *text = json_string_value(item);
		int number = text ? known_capability(text) : -1;

		if (number >= 0 && !(inheritable >> number & 1))
			findings_add_entry(findings, rule, pointer, i, NULL,
					   "%s is not in the inheritable set, so it is not granted",
					   known_capabilities[number]);
	}
}

/* A program that gains from inheritable sets gains it in every container that has them. */
static void check_inheritable(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	if (capability_set(config, "inheritable") & ~capability_set(config, "ambient"))
		findings_add(findings, rule, "/process/capabilities/inheritable",
			     "holds capabilities that are not ambient: programs with inheritable "
			     "file capabilities gain them");
}

static void check_rlimit_types(const json_t *config, const struct rule *rule,
			       struct findings *findings)
{
	const json_t *limit;
	size_t i;

	json_array_foreach (pointer_get(config, "/process/rlimits"), i, limit) {
		const char *type = json_text(limit, "type", NULL);

		if (type && !known_in(known_rlimits, type))
			findings_add_entry(findings, rule, "/process/rlimits", i, NULL,
					   "\"%.64s\" is not a resource limit", type);
	}
}

/* Bytes that execve(2) counts for a list of strings, and whether each is short enough for it. */
static size_t exec_size(const json_t *config, const char *pointer, const struct rule *rule,
			struct findings *findings)
{
	enum { STRING_MAX = 128 << 10, ENTRIES_MAX = 1 << 16 };
	const json_t *list = pointer_get(config, pointer), *item;
	size_t size = 0, i;

	if (json_array_size(list) > ENTRIES_MAX)
		findings_add(findings, rule, pointer, "has more than %d entries", ENTRIES_MAX);
	json_array_foreach (list, i, item) {
		size_t length = json_string_length(item) + 1;

		size += length + sizeof(char *);
		if (length <= STRING_MAX)
			continue;
		findings_add_entry(findings, rule, pointer, i, NULL,
				   "is longer than the kernel takes");
	}
	return size;
}

/* What the kernel lets a program be started with: a quarter of its stack, but no more than 6 MiB.
 */
static void check_exec_size(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	enum { DEFAULT_STACK = 8 << 20, SIZE_MAX_EVER = 6 << 20, SIZE_MIN = 128 << 10 };
	const json_t *limit;
	json_int_t stack = DEFAULT_STACK;
	size_t size, allowed, i;

	json_array_foreach (pointer_get(config, "/process/rlimits"), i, limit) {
		const json_t *soft = json_object_get(limit, "soft");

		if (strcmp(json_text(limit, "type", ""), "RLIMIT_STACK") == 0 &&
		    json_is_integer(soft))
			stack = json_integer_value(soft);
	}
	allowed = stack / 4 > SIZE_MAX_EVER ? SIZE_MAX_EVER
		  : stack / 4 < SIZE_MIN    ? SIZE_MIN
					    : (size_t)stack / 4;
	size = exec_size(config, "/process/args", rule, findings) +
	       exec_size(config, "/process/env", rule, findings);
	if (size > allowed)
		findings_add(findings, rule, "/process/env",
			     "arguments and variables take %zu bytes, and the kernel lets a "
			     "program have %zu",
			     size, allowed);
}

static void check_prestart(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (json_array_size(pointer_get(config, "/hooks/prestart")) > 0)
		findings_add(findings, rule, "/hooks/prestart",
			     "is deprecated: use createRuntime, createContainer or startContainer");
}

/* What sched_setattr(2) takes with which policy. */
static void check_priority(const json_t *scheduler, const struct rule *rule,
			   struct findings *findings)
{
	enum { PRIORITY_MIN = 1, PRIORITY_MAX = 99 };
	static const char *const with[] = { "SCHED_FIFO", "SCHED_RR", NULL };
	static const char pointer[] = "/process/scheduler/priority";
	const char *policy = json_text(scheduler, "policy", "");
	json_int_t priority = json_integer_value(json_object_get(scheduler, "priority"));

	if (!known_in(with, policy) && priority != 0)
		findings_add(findings, rule, pointer, "is not for %.32s", policy);
	if (known_in(with, policy) && (priority < PRIORITY_MIN || priority > PRIORITY_MAX))
		findings_add(findings, rule, pointer, "must be %d to %d with %s", PRIORITY_MIN,
			     PRIORITY_MAX, policy);
}

static void check_scheduler(const json_t *config, const struct rule *rule,
			    struct findings *findings)
{
	static const char *const times[] = { "runtime", "deadline", "period" };
	const json_t *scheduler = pointer_get(config, "/process/scheduler");
	const char *policy = json_text(scheduler, "policy", NULL);

	if (!policy)
		return;
	check_priority(scheduler, rule, findings);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		cleanup_free char *at = pointer_join("/process/scheduler", times[i]);

		if (json_integer_value(json_object_get(scheduler, times[i])) != 0 &&
		    strcmp(policy, "SCHED_DEADLINE") != 0)
			findings_add(findings, rule, at, "is for SCHED_DEADLINE only");
	}
}

static void check_io_priority(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	const json_t *priority = pointer_get(config, "/process/ioPriority");

	if (priority && !json_object_get(priority, "priority"))
		findings_add(findings, rule, "/process/ioPriority/priority",
			     "is required; runtimes take 0, the highest, without it");
}

static const struct rule_check checks[] = {
	{ { "rlimit", SEVERITY_ERROR, "config.md#posix-process" }, check_rlimit_types },
	{ { "exec-size", SEVERITY_ERROR, "config.md#posix-process" }, check_exec_size },
	{ { "capability-ambient", SEVERITY_WARNING, "config.md#linux-process" }, check_ambient },
	{ { "capability-known", SEVERITY_WARNING, "config.md#linux-process" }, check_capabilities },
	{ { "capability-subset", SEVERITY_ERROR, "config.md#linux-process" },
	  check_capability_sets },
	{ { "capability-inheritable", SEVERITY_WARNING, "config.md#linux-process" },
	  check_inheritable },
	{ { "scheduler", SEVERITY_ERROR, "config.md#linux-process" }, check_scheduler },
	{ { "io-priority", SEVERITY_WARNING, "config.md#linux-process" }, check_io_priority },
	{ { "hook-prestart", SEVERITY_WARNING, "config.md#prestart" }, check_prestart },
};

void rules_check_process(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
