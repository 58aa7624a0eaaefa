/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about the process and the container as a whole. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>

/* The end of identifiers of semver.org with dots between; NULL where one is empty or, as a number
 * of a version before the release, begins with 0. */
static const char *identifiers_end(const char *at, bool before_release)
{
	static const char digits[] = "0123456789";
	static const char of_identifier[] = "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "abcdefghijklmnopqrstuvwxyz";

	for (;; at++) {
		size_t length = strspn(at, of_identifier);

		if (length == 0 ||
		    (before_release && length > 1 && *at == '0' && strspn(at, digits) == length))
			return NULL;
		at += length;
		if (*at != '.')
			return at;
	}
}

/* MAJOR.MINOR.PATCH[-BEFORE_RELEASE][+BUILD]: the Semantic Versioning 2.0.0 of semver.org. */
static bool is_semantic_version(const char *at)
{
	for (int part = 0; part < 3; part++) {
		size_t digits = strspn(at, "0123456789");

		if (digits == 0 || (digits > 1 && *at == '0') || (part < 2 && at[digits] != '.'))
			return false;
		at += digits + (part < 2);
	}
	if (*at == '-')
		at = identifiers_end(at + 1, true);
	if (at && *at == '+')
		at = identifiers_end(at + 1, false);
	return at && !*at;
}

static void check_version(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *text = json_text(config, "ociVersion", NULL);

	if (text && !is_semantic_version(text))
		findings_add(findings, rule, "/ociVersion", "\"%.32s\" is not a semantic version",
			     text);
	else if (text && strncmp(text, "1.", 2) != 0)
		findings_add(findings, rule, "/ociVersion",
			     "version %.32s is not 1.x, which is what runtimes understand", text);
}

static void check_root(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (!json_object_get(config, "root") && !json_object_get(config, "vm"))
		findings_add(findings, rule, "/root", "is required");
}

static void check_process(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (!json_object_get(config, "process"))
		findings_add(findings, rule, "/process",
			     "is missing: the container can be created but not started");
}

static void check_args(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (json_object_get(config, "process") && !pointer_get(config, "/process/args"))
		findings_add(findings, rule, "/process/args", "is required");
}

static void check_user(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (json_object_get(config, "process") && !pointer_get(config, "/process/user"))
		findings_add(findings, rule, "/process/user", "is missing: it will be root");
}

static void check_ids(const json_t *config, const struct rule *rule, struct findings *findings)
{
	static const char *const keys[] = { "uid", "gid" };
	const json_t *user = pointer_get(config, "/process/user");

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		cleanup_free char *at = pointer_join("/process/user", keys[i]);

		if (user && !json_object_get(user, keys[i]))
			findings_add(findings, rule, at, "is required");
	}
}

static void check_umask(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (json_integer_value(pointer_get(config, "/process/user/umask")) > 0777)
		findings_add(findings, rule, "/process/user/umask",
			     "is above 0777: the rest of it has no effect");
}

static void check_cwd(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *path = json_string_value(pointer_get(config, "/process/cwd"));

	if (path && *path && *path != '/')
		findings_add(findings, rule, "/process/cwd", "must be an absolute path");
}

static void check_command(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const char *program =
		json_string_value(json_array_get(pointer_get(config, "/process/args"), 0));

	if (program && !*program)
		findings_add(findings, rule, "/process/args/0", "must name a program");
}

static void check_env(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *item;
	size_t i;

	json_array_foreach (pointer_get(config, "/process/env"), i, item) {
		const char *text = json_string_value(item);

		if (!text || (*text != '=' && strchr(text, '=')))
			continue;
		findings_add_entry(findings, rule, "/process/env", i, NULL, "is not NAME=VALUE");
	}
}

static void check_console(const json_t *config, const struct rule *rule, struct findings *findings)
{
	if (pointer_get(config, "/process/consoleSize") &&
	    !json_is_true(pointer_get(config, "/process/terminal")))
		findings_add(findings, rule, "/process/consoleSize",
			     "has no effect without a terminal");
}

static void check_rlimits(const json_t *config, const struct rule *rule, struct findings *findings)
{
	json_auto_t *seen = json_object();
	const json_t *limit;
	size_t i;

	json_array_foreach (pointer_get(config, "/process/rlimits"), i, limit) {
		const char *type = json_text(limit, "type", NULL);
		const json_t *soft = json_object_get(limit, "soft");
		const json_t *hard = json_object_get(limit, "hard");

		if (type && json_object_get(seen, type))
			findings_add_entry(findings, rule, "/process/rlimits", i, NULL,
					   "%.64s is there twice", type);
		if (type)
			json_object_set_new(seen, type, json_true());
		if (json_is_integer(soft) && json_is_integer(hard) &&
		    json_integer_value(soft) > json_integer_value(hard))
			findings_add_entry(findings, rule, "/process/rlimits", i, NULL,
					   "the soft limit is above the hard one");
	}
}

static void check_hooks(const json_t *config, const struct rule *rule, struct findings *findings)
{
	const json_t *hook;
	json_t *list;
	const char *stage;
	size_t i;

	json_object_foreach (json_object_get(config, "hooks"), stage, list) {
		cleanup_free char *stage_at = pointer_join("/hooks", stage);

		json_array_foreach (list, i, hook) {
			const char *path = json_text(hook, "path", NULL);
			cleanup_free char *hook_at = pointer_index(stage_at, i);
			cleanup_free char *at = pointer_join(hook_at, "path");

			if (path && *path && *path != '/')
				findings_add(findings, rule, at, "must be an absolute path");
		}
	}
}

static void check_annotations(const json_t *config, const struct rule *rule,
			      struct findings *findings)
{
	if (json_object_get(json_object_get(config, "annotations"), ""))
		findings_add(findings, rule, "/annotations/", "a key must not be empty");
}

/* On every platform. */
static const struct rule_check common[] = {
	{ { "version", SEVERITY_ERROR, "config.md#specification-version" }, check_version },
	{ { "process-required", SEVERITY_WARNING, "config.md#process" }, check_process },
	{ { "args-program", SEVERITY_ERROR, "config.md#posix-process" }, check_command },
	{ { "env-form", SEVERITY_ERROR, "config.md#process" }, check_env },
	{ { "console-size", SEVERITY_WARNING, "config.md#process" }, check_console },
	{ { "annotation-key", SEVERITY_ERROR, "config.md#annotations" }, check_annotations },
};
static const struct rule_check posix[] = {
	{ { "root-required", SEVERITY_ERROR, "config.md#root" }, check_root },
	{ { "required", SEVERITY_ERROR, "config.md#process" }, check_args },
	{ { "user-missing", SEVERITY_WARNING, "config.md#user" }, check_user },
	{ { "required", SEVERITY_ERROR, "config.md#posix-platform-user" }, check_ids },
	{ { "umask", SEVERITY_WARNING, "config.md#posix-platform-user" }, check_umask },
	{ { "cwd-absolute", SEVERITY_ERROR, "config.md#process" }, check_cwd },
	{ { "rlimit", SEVERITY_ERROR, "config.md#posix-process" }, check_rlimits },
	{ { "hook-path-absolute", SEVERITY_ERROR, "config.md#posix-platform-hooks" }, check_hooks },
};

#define RUN(table) rules_run(table, sizeof(table) / sizeof *(table), config, findings)

void rules_check_common(const json_t *config, bool on_posix, struct findings *findings)
{
	RUN(common);
	if (on_posix)
		RUN(posix);
}
