/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the filter for system calls. */
#include "lib/json.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>

static bool uses_action(const json_t *config, const char *action)
{
	const json_t *entry;
	size_t i;

	if (strcmp(json_text(pointer_get(config, "/linux/seccomp"), "defaultAction", ""), action) ==
	    0)
		return true;
	json_array_foreach (pointer_get(config, "/linux/seccomp/syscalls"), i, entry) {
		if (strcmp(json_text(entry, "action", ""), action) == 0)
			return true;
	}
	return false;
}

static void check_seccomp(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *filter = pointer_get(config, "/linux/seccomp");
	bool listener = *json_text(filter, "listenerPath", "") != '\0';

	if (uses_action(config, "SCMP_ACT_NOTIFY") && !listener)
		findings_add(findings, rule, "/linux/seccomp/listenerPath",
			     "is required with SCMP_ACT_NOTIFY");
	if (*json_text(filter, "listenerMetadata", "") && !listener)
		findings_add(findings, rule, "/linux/seccomp/listenerMetadata",
			     "has no use without listenerPath");
	/* else it depends on where the runtime happens to be */
	if (listener && *json_text(filter, "listenerPath", "") != '/')
		findings_add(findings, rule, "/linux/seccomp/listenerPath",
			     "must be an absolute path");
}

/* An errno that is returned by an action that returns none: runtimes must fail then. */
static void check_errno(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *entry;
	const json_t *filter = pointer_get(config, "/linux/seccomp");
	size_t i;

	if (json_object_get(filter, "defaultErrnoRet") &&
	    !known_action_takes_errno(json_text(filter, "defaultAction", "SCMP_ACT_ERRNO")))
		findings_add(findings, rule, "/linux/seccomp/defaultErrnoRet",
			     "has no meaning with %.32s", json_text(filter, "defaultAction", ""));
	json_array_foreach (json_object_get(filter, "syscalls"), i, entry) {
		const char *action = json_text(entry, "action", "SCMP_ACT_ERRNO");

		if (!json_object_get(entry, "errnoRet") || known_action_takes_errno(action))
			continue;
		findings_add_entry(findings, rule, "/linux/seccomp/syscalls", i, NULL,
				   "errnoRet has no meaning with %.32s", action);
	}
}

static bool is_beyond_errno(const json_t *object, const char *action, const char *number)
{
	return strcmp(json_text(object, action, ""), "SCMP_ACT_ERRNO") == 0 &&
	       json_integer_value(json_object_get(object, number)) > ERRNO_MAX;
}

/* The number of an action is a real errno, where it does not tell a tracer something. */
static void check_errno_range(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	const json_t *entry, *filter = pointer_get(config, "/linux/seccomp");
	size_t i;

	if (is_beyond_errno(filter, "defaultAction", "defaultErrnoRet"))
		findings_add(findings, rule, "/linux/seccomp/defaultErrnoRet", "is above %d",
			     ERRNO_MAX);
	json_array_foreach (json_object_get(filter, "syscalls"), i, entry) {
		if (is_beyond_errno(entry, "action", "errnoRet"))
			findings_add_entry(findings, rule, "/linux/seccomp/syscalls", i, "errnoRet",
					   "is above %d", ERRNO_MAX);
	}
}

/* A runtime writes, to say that there is something to answer, when the filter holds already. */
static void check_notify(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char notify[] = "SCMP_ACT_NOTIFY";
	const json_t *entry, *filter = pointer_get(config, "/linux/seccomp");
	size_t i;

	if (strcmp(json_text(filter, "defaultAction", ""), notify) == 0)
		findings_add(findings, rule, "/linux/seccomp/defaultAction",
			     "is refused by runc: it would wait for an answer to its own calls");
	json_array_foreach (json_object_get(filter, "syscalls"), i, entry) {
		if (strcmp(json_text(entry, "action", ""), notify) == 0 &&
		    json_has_text(json_object_get(entry, "names"), "write"))
			findings_add_entry(findings, rule, "/linux/seccomp/syscalls", i, NULL,
					   "%s of write is refused by runc: it would wait for an "
					   "answer to its own calls",
					   notify);
	}
}

static const struct rule_check checks[] = {
	{ { "seccomp-listener", SEVERITY_ERROR, "config-linux.md#seccomp" }, check_seccomp },
	{ { "seccomp-errno", SEVERITY_ERROR, "config-linux.md#seccomp" }, check_errno },
	{ { "range", SEVERITY_ERROR, "config-linux.md#seccomp" }, check_errno_range },
	{ { "seccomp-notify", SEVERITY_WARNING, "config-linux.md#seccomp" }, check_notify },
};

void rules_check_seccomp(const json_t *config, struct findings *findings)
{
	rules_run(checks, sizeof checks / sizeof *checks, config, findings);
}
