/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/seccomp.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "oci-gen/known.h"
#include "oci-gen/seccomp_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Members of a profile in a file that stand in linux.seccomp unchanged, and those that are
 * resolved or are for people only. Any other is refused: a filter that was not understood whole
 * protects less than it seems to. */
static const char *const kept_members[] = { "defaultAction",
					    "defaultErrnoRet",
					    "architectures",
					    "flags",
					    "listenerPath",
					    "listenerMetadata",
					    NULL };
static const char *const resolved_members[] = { "archMap", "syscalls", "defaultErrno", NULL };
static const char *const kept_rule_members[] = { "names", "action", "errnoRet", NULL };
static const char *const resolved_rule_members[] = { "name",	 "args",     "comment", "errno",
						     "includes", "excludes", NULL };

/* The machine as Go calls it, as profiles do in "arches". */
static const char *const go_architecture =
#if defined __x86_64__
	"amd64";
#elif defined __aarch64__
	"arm64";
#elif defined __riscv
	"riscv64";
#elif defined __powerpc64__
	"ppc64le";
#elif defined __s390x__
	"s390x";
#else
	"";
#endif

static bool has_capability(uint64_t set, const json_t *name)
{
	int number = json_is_string(name) ? known_capability(json_string_value(name)) : -1;

	return number >= 0 && (set >> number & 1);
}

/* "MAJOR.MINOR…" as one number that compares, or 0. */
static unsigned long kernel_number(const char *text)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10);

	return *end == '.' ? major << 16 | (strtoul(end + 1, NULL, 10) & 0xffff) : 0;
}

/* True when the running kernel is at least `minimum`. */
static bool kernel_is(const char *minimum)
{
	struct utsname system;
	unsigned long wanted = kernel_number(minimum);

	return wanted && uname(&system) == 0 && kernel_number(system.release) >= wanted;
}

/* "includes": everything in it must hold. */
static bool included(const json_t *conditions, uint64_t set)
{
	const json_t *capability, *arches = json_object_get(conditions, "arches");
	const char *minimum = json_text(conditions, "minKernel", NULL);
	size_t i;

	json_array_foreach (json_object_get(conditions, "caps"), i, capability) {
		if (!has_capability(set, capability))
			return false;
	}
	if (json_array_size(arches) > 0 && !json_has_text(arches, go_architecture))
		return false;
	return !minimum || kernel_is(minimum);
}

/* "excludes": one of it is enough. */
static bool excluded(const json_t *conditions, uint64_t set)
{
	const json_t *capability;
	const char *minimum = json_text(conditions, "minKernel", NULL);
	size_t i;

	json_array_foreach (json_object_get(conditions, "caps"), i, capability) {
		if (has_capability(set, capability))
			return true;
	}
	return json_has_text(json_object_get(conditions, "arches"), go_architecture) ||
	       (minimum && kernel_is(minimum));
}

static int copy_members(json_t *to, const json_t *from, const char *const *kept,
			const char *const *resolved, const char *file, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)from, key, value) {
		if (known_in(kept, key))
			json_object_set(to, key, value);
		else if (!known_in(resolved, key))
			return error_set(err, ERROR_INTEGRITY,
					 "%s: unknown member \"%s\" in a seccomp profile", file,
					 key);
	}
	return 0;
}

/* The errno of a name, -1 where there is none. Of those that are called two ways, libc knows one.
 */
static int errno_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} others[] = { { "EDEADLOCK", EDEADLOCK },
		       { "ENOTSUP", ENOTSUP },
		       { "EWOULDBLOCK", EWOULDBLOCK } };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].number;
	for (int number = 1; number <= ERRNO_MAX; number++) {
		const char *known = strerrorname_np(number);

		if (known && strcmp(known, name) == 0)
			return number;
	}
	return -1;
}

/* The errno that podman's profiles have as a text, by name or number, goes over the number beside
 * it. */
static int take_errno(json_t *to, const json_t *from, const char *text_key, const char *number_key,
		      const char *file, struct error *err)
{
	const char *text = json_text(from, text_key, "");
	bool digits = !text[strspn(text, "0123456789")];
	long number = digits ? strtol(text, NULL, 10) : errno_of(text);

	if (!*text)
		return 0;
	if (number < 0)
		return error_set(err, ERROR_INTEGRITY,
				 "%s: unknown errno \"%s\" in a seccomp profile", file, text);
	json_object_set_new(to, number_key, json_integer(number));
	return 0;
}

/* An errno beside an action that takes none. Docker and podman pass it on and runc over it, but the
 * specification has runtimes fail, and crun does. */
static void drop_errno(json_t *object, const char *action, const char *number)
{
	if (!known_action_takes_errno(json_text(object, action, "SCMP_ACT_ERRNO")))
		json_object_del(object, number);
}

static int add_rule(json_t *rules, const json_t *rule, uint64_t set, const char *file,
		    struct error *err)
{
	if (!json_is_object(rule))
		return error_set(err, ERROR_INTEGRITY, "%s: a rule is not a JSON object", file);
	if (!included(json_object_get(rule, "includes"), set) ||
	    excluded(json_object_get(rule, "excludes"), set))
		return 0;

	json_auto_t *copy = json_object();
	if (copy_members(copy, rule, kept_rule_members, resolved_rule_members, file, err) < 0 ||
	    take_errno(copy, rule, "errno", "errnoRet", file, err) < 0)
		return -1;
	drop_errno(copy, "action", "errnoRet");
	if (json_object_get(rule, "name"))
		json_object_set_new(copy, "names", json_pack("[O]", json_object_get(rule, "name")));
	if (json_array_size(json_object_get(rule, "args")) > 0)
		json_object_set(copy, "args", json_object_get(rule, "args"));
	json_array_append(rules, copy);
	return 0;
}

/* This machine's row of "archMap": its architecture and those whose programs it also runs. */
static void resolve_architectures(json_t *filter, const json_t *map)
{
	const char *native = seccomp_architectures[0];
	json_t *row;
	size_t i;

	json_array_foreach (map, i, row) {
		const char *name = json_text(row, "architecture", "");

		if (!native || strcmp(name, native) != 0)
			continue;
		json_t *list = json_pack("[s]", native);
		json_array_extend(list, json_object_get(row, "subArchitectures"));
		json_object_set_new(filter, "architectures", list);
	}
}

static json_t *resolve(const json_t *profile, uint64_t set, const char *file, struct error *err)
{
	json_auto_t *filter = json_object();
	json_t *rules = json_array(), *rule;
	size_t i;

	json_object_set_new(filter, "syscalls", rules);
	if (copy_members(filter, profile, kept_members, resolved_members, file, err) < 0 ||
	    take_errno(filter, profile, "defaultErrno", "defaultErrnoRet", file, err) < 0)
		return NULL;
	drop_errno(filter, "defaultAction", "defaultErrnoRet");
	resolve_architectures(filter, json_object_get(profile, "archMap"));
	json_array_foreach (json_object_get(profile, "syscalls"), i, rule) {
		if (add_rule(rules, rule, set, file, err) < 0)
			return NULL;
	}
	return json_incref(filter);
}

/* A file of a profile as JSON, which its lists of names have been taken out of. */
static json_t *read_profile(const char *path, struct strings *lists, struct error *err)
{
	size_t length, rest_length;
	cleanup_free char *text = file_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, &length, err);
	cleanup_free char *rest =
		text ? seccomp_names_take(text, length, &rest_length, lists) : NULL;
	json_t *profile = rest ? json_parse(rest, rest_length, path, err) : NULL;

	if (!text || profile)
		return profile;
	/* an error is one in the file as it is */
	strings_free(lists);
	return json_parse(text, length, path, err);
}

int seccomp_make(const char *choice, uint64_t capabilities, struct strings *lists, json_t **ret,
		 struct error *err)
{
	if (strcmp(choice, "unconfined") == 0)
		return 0;
	if (strcmp(choice, "default") == 0) {
		*ret = seccomp_default(capabilities, lists);
		return 0;
	}

	json_auto_t *profile = read_profile(choice, lists, err);
	if (!profile)
		return error_prefix(err, "seccomp profile");
	if (!json_is_object(profile) || !json_object_get(profile, "defaultAction"))
		return error_set(err, ERROR_INTEGRITY,
				 "%s: not a seccomp profile: no \"defaultAction\"", choice);

	json_t *filter = resolve(profile, capabilities, choice, err);
	if (!filter)
		return -1;
	*ret = filter;
	return 0;
}
