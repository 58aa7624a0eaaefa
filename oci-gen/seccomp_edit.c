/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a filter by option: its default, its architectures, and rules for single calls. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/seccomp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct name {
	const char *option, *value;
};

static const struct name actions[] = {
	{ "allow", "SCMP_ACT_ALLOW" },
	{ "errno", "SCMP_ACT_ERRNO" },
	{ "kill", "SCMP_ACT_KILL" },
	{ "trace", "SCMP_ACT_TRACE" },
	{ "trap", "SCMP_ACT_TRAP" },
	{ "notify", "SCMP_ACT_NOTIFY" },
	{ NULL, NULL },
};

static const struct name architectures[] = {
	{ "amd64", "SCMP_ARCH_X86_64" },
	{ "x86", "SCMP_ARCH_X86" },
	{ "x32", "SCMP_ARCH_X32" },
	{ "arm", "SCMP_ARCH_ARM" },
	{ "arm64", "SCMP_ARCH_AARCH64" },
	{ "mips", "SCMP_ARCH_MIPS" },
	{ "mips64", "SCMP_ARCH_MIPS64" },
	{ "mips64n32", "SCMP_ARCH_MIPS64N32" },
	{ "mipsel", "SCMP_ARCH_MIPSEL" },
	{ "mipsel64", "SCMP_ARCH_MIPSEL64" },
	{ "mipsel64n32", "SCMP_ARCH_MIPSEL64N32" },
	{ "parisc", "SCMP_ARCH_PARISC" },
	{ "parisc64", "SCMP_ARCH_PARISC64" },
	{ "ppc", "SCMP_ARCH_PPC" },
	{ "ppc64", "SCMP_ARCH_PPC64" },
	{ "ppc64le", "SCMP_ARCH_PPC64LE" },
	{ "riscv64", "SCMP_ARCH_RISCV64" },
	{ "loong64", "SCMP_ARCH_LOONGARCH64" },
	{ "s390", "SCMP_ARCH_S390" },
	{ "s390x", "SCMP_ARCH_S390X" },
	{ NULL, NULL },
};

static const struct name operators[] = {
	{ "NE", "SCMP_CMP_NE" },	{ "LT", "SCMP_CMP_LT" }, { "LE", "SCMP_CMP_LE" },
	{ "EQ", "SCMP_CMP_EQ" },	{ "GE", "SCMP_CMP_GE" }, { "GT", "SCMP_CMP_GT" },
	{ "ME", "SCMP_CMP_MASKED_EQ" }, { NULL, NULL },
};

/* The value for what the option says; the value itself is understood too. */
static const char *look_up(const struct name *names, const char *text)
{
	for (; names->option; names++)
		if (strcmp(names->option, text) == 0 || strcmp(names->value, text) == 0)
			return names->value;
	return NULL;
}

static json_t *rules_of(json_t *filter)
{
	json_t *rules = json_object_get(filter, "syscalls");

	if (!json_is_array(rules)) {
		rules = json_array();
		json_object_set_new(filter, "syscalls", rules);
	}
	return rules;
}

/* Take one call out of every rule, and rules that are left without one out of the filter. */
static void forget_call(json_t *filter, const char *call)
{
	json_t *rules = rules_of(filter);

	for (size_t i = json_array_size(rules); i-- > 0;) {
		json_t *names = json_object_get(json_array_get(rules, i), "names");

		for (size_t j = json_array_size(names); j-- > 0;) {
			const char *name = json_string_value(json_array_get(names, j));

			if (name && strcmp(name, call) == 0)
				json_array_remove(names, j);
		}
		if (json_array_size(names) == 0)
			json_array_remove(rules, i);
	}
}

static int set_default(json_t *filter, const char *text, bool forced, struct error *err)
{
	json_t *rules = rules_of(filter);
	const char *action = look_up(actions, text);

	if (!action || strcmp(action, "SCMP_ACT_NOTIFY") == 0)
		return error_set(err, ERROR_USAGE,
				 "\"%s\" is not allow, errno, kill, trace or trap", text);
	json_object_set_new(filter, "defaultAction", json_string(action));
	if (strcmp(action, "SCMP_ACT_ERRNO") != 0)
		json_object_del(filter, "defaultErrnoRet");
	for (size_t i = json_array_size(rules); !forced && i-- > 0;)
		if (strcmp(json_text(json_array_get(rules, i), "action", ""), action) == 0)
			json_array_remove(rules, i);
	return 0;
}

/* Put a name into a list of the filter, once. */
static void add_name(json_t *filter, const char *key, const char *name)
{
	json_t *list = json_object_get(filter, key);

	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(filter, key, list);
	}
	if (!json_has_text(list, name))
		json_array_append_new(list, json_string(name));
}

static int add_architecture(json_t *filter, const char *text, struct error *err)
{
	const char *name = look_up(architectures, text);

	if (!name)
		return error_set(err, ERROR_USAGE, "\"%s\" is not an architecture", text);
	add_name(filter, "architectures", name);
	return 0;
}

static bool parse_number(const char *text, json_int_t *number)
{
	errno = 0;
	*number = strtoll(text, NULL, 10);
	return *text && !text[strspn(text, "0123456789")] && !errno;
}

/* INDEX:VALUE:VALUETWO:OPERATOR as a condition, or NULL. */
static json_t *parse_condition(char *text)
{
	json_int_t numbers[3];

	for (int i = 0; i < 3; i++) {
		const char *number = strsep(&text, ":");

		if (!text || !parse_number(number, &numbers[i]))
			return NULL;
	}

	const char *compare = look_up(operators, text);
	return compare && numbers[0] <= 5
		       ? json_pack("{s:I, s:I, s:I, s:s}", "index", numbers[0], "value", numbers[1],
				   "valueTwo", numbers[2], "op", compare)
		       : NULL;
}

/* True when a rule with the action does what is done without a rule. */
static bool is_default(const json_t *filter, const char *action)
{
	const json_t *number = json_object_get(filter, "defaultErrnoRet");

	return strcmp(json_text(filter, "defaultAction", ""), action) == 0 &&
	       (!number || json_integer_value(number) == EPERM);
}

/* CALL[:INDEX:VALUE:VALUETWO:OPERATOR]. A rule for every use of a call replaces those there are;
 * one with a condition stands beside them. */
static int add_rule(json_t *filter, const char *action, char *text, struct error *err)
{
	cleanup_free char *whole = xstrdup(text);
	const char *call = strsep(&text, ":");
	json_t *condition = text ? parse_condition(text) : NULL;

	if (!*call || (text && !condition))
		return error_set(err, ERROR_USAGE,
				 "\"%s\" is not CALL[:INDEX:VALUE:VALUETWO:OPERATOR]", whole);
	if (!condition)
		forget_call(filter, call);
	if (!condition && is_default(filter, action))
		return 0;

	json_t *rule = json_pack("{s:[s], s:s}", "names", call, "action", action);
	if (condition)
		json_object_set_new(rule, "args", json_pack("[o]", condition));
	json_array_append_new(rules_of(filter), rule);
	return 0;
}

static int edit_one(json_t *filter, const char *verb, char *item, struct error *err)
{
	const char *action = look_up(actions, verb);

	if (action)
		return add_rule(filter, action, item, err);
	if (strcmp(verb, "arch") == 0)
		return add_architecture(filter, item, err);
	if (!*item)
		return error_set(err, ERROR_USAGE, "the value is empty");
	if (strcmp(verb, "flag") == 0) {
		add_name(filter, "flags", item);
		return 0;
	}
	forget_call(filter, item);
	return 0;
}

int seccomp_edit(json_t *filter, const char *verb, const char *value, struct error *err)
{
	cleanup_free char *items = xstrdup(value);
	char *rest = items;

	if (strcmp(verb, "remove-all") == 0) {
		json_object_set_new(filter, "syscalls", json_array());
		return 0;
	}
	if (strncmp(verb, "listener", strlen("listener")) == 0) {
		json_object_set_new(filter, verb, json_string(value));
		return *value ? 0 : error_set(err, ERROR_USAGE, "the value is empty");
	}
	if (strcmp(verb, "default") == 0 || strcmp(verb, "default-force") == 0)
		return set_default(filter, value, strcmp(verb, "default-force") == 0, err);
	do {
		if (edit_one(filter, verb, strsep(&rest, ","), err) < 0)
			return -1;
	} while (rest);
	return 0;
}

int seccomp_check_edit(const char *verb, const char *value, struct error *err)
{
	json_auto_t *scratch = json_object();

	return seccomp_edit(scratch, verb, value, err);
}

json_t *seccomp_open(void)
{
	json_t *filter = json_pack("{s:s, s:[]}", "defaultAction", "SCMP_ACT_ALLOW", "syscalls");

	for (const char *const *name = seccomp_architectures; *name; name++)
		add_architecture(filter, *name, NULL);
	return filter;
}
