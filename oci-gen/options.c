/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/options.h"

#include "oci-gen/generation.h"
#include "oci-gen/setters.h"

#include <limits.h>
#include <string.h>

#define FLAG(name, letter, help)                                                                   \
	{                                                                                          \
		name, letter, NULL, OPTION_FLAG, 0, help                                           \
	}
#define VALUE(name, letter, value, help)                                                           \
	{                                                                                          \
		name, letter, value, OPTION_STRING, 0, help                                        \
	}
#define LIST(name, letter, value, help)                                                            \
	{                                                                                          \
		name, letter, value, OPTION_LIST, 0, help                                          \
	}

#define NO_LIMIT LLONG_MAX

static const struct option_rule rules[] = {
	{ LIST("args", 0, "ARG", "one word of the whole command, in place of the image's"),
	  .apply = set_args },
	{ LIST("entrypoint", 0, "ARG", "one word of what the operands are given to"),
	  .apply = set_entrypoint },
	{ LIST("env-file", 0, "FILE", "variables, one NAME=VALUE a line"), .apply = set_env_file },
	{ LIST("env", 'e', "NAME[=VALUE]", "a variable; without =VALUE, our own value of it"),
	  .apply = set_env },
	{ VALUE("process-cwd", 'w', "DIR", "working directory"), .apply = set_text,
	  .pointer = "/process/cwd" },
	{ VALUE("cwd", 0, "DIR", NULL), .apply = set_text, .pointer = "/process/cwd" },
	{ VALUE("user", 'u', "USER[:GROUP]", "names or numbers, looked up in the rootfs"),
	  .apply = set_user },
	{ VALUE("process-uid", 0, "UID", "user number, without a look-up"), .apply = set_uid },
	{ VALUE("process-gid", 0, "GID", "group number, without a look-up"), .apply = set_gid },
	{ LIST("process-groups", 0, "GID", "an additional group"), .apply = add_group,
	  .pointer = "/process/user/additionalGids" },
	{ FLAG("process-terminal", 't', "give the process a terminal"), .apply = set_true,
	  .pointer = "/process/terminal" },
	{ FLAG("tty", 0, NULL), .apply = set_true, .pointer = "/process/terminal" },
	{ FLAG("process-no-new-privileges", 0, "let no program gain privileges (setuid files)"),
	  .apply = set_true, .pointer = "/process/noNewPrivileges" },
	{ LIST("process-rlimits-add", 0, "TYPE:HARD[:SOFT]",
	       "a resource limit: RLIMIT_NOFILE:1024:512, core:unlimited"),
	  .apply = add_rlimit, .pointer = "/process/rlimits" },
	{ FLAG("privileged", 0, "all capabilities and devices, no masked paths, no seccomp"),
	  .apply = set_privileged },
	{ FLAG("process-cap-drop-all", 0, "take away all capabilities"),
	  .apply = drop_capabilities },
	{ LIST("process-cap-drop", 0, "CAP", "take away a capability"), .apply = drop_capability },
	{ LIST("process-cap-add", 0, "CAP", "add a capability; ALL for all there are"),
	  .apply = add_capability },
	{ VALUE("hostname", 0, "NAME", "name of the container's machine"), .apply = set_hostname,
	  .pointer = "/hostname" },
	{ VALUE("rootfs", 0, "DIR", "the root file system"), .apply = set_text,
	  .pointer = "/root/path" },
	{ VALUE("rootfs-path", 0, "DIR", NULL), .apply = set_text, .pointer = "/root/path" },
	{ FLAG("rootfs-readonly", 0, "mount the root file system read-only"), .apply = set_true,
	  .pointer = "/root/readonly" },
	{ LIST("bind", 'v', "SRC:DST[:OPTIONS]", "bind-mount a file or directory of the host"),
	  .apply = add_bind },
	{ LIST("tmpfs", 0, "DST[:OPTIONS]", "mount an empty file system in memory"),
	  .apply = add_tmpfs },
	{ LIST("mounts-add", 0, "JSON", "a mount as it stands in config.json"),
	  .apply = add_mount },
	{ LIST("annotation", 0, "KEY=VALUE", "an annotation"), .apply = set_pair,
	  .pointer = "/annotations" },
	{ LIST("label", 'l', "KEY=VALUE", NULL), .apply = set_pair, .pointer = "/annotations" },
	{ LIST("linux-namespace-remove", 0, "TYPE", "share this namespace with the runtime"),
	  .apply = remove_namespace, .pointer = "/linux/namespaces" },
	{ LIST("linux-namespace-add", 0, "TYPE[:PATH]", "a new namespace, or the one at PATH"),
	  .apply = add_namespace, .pointer = "/linux/namespaces" },
	{ LIST("linux-sysctl", 0, "KEY=VALUE", "a sysctl of the container's namespaces"),
	  .apply = set_pair, .pointer = "/linux/sysctl" },
	{ VALUE("linux-cgroups-path", 0, "PATH", "where its control group is"), .apply = set_text,
	  .pointer = "/linux/cgroupsPath" },
	{ VALUE("linux-mem-limit", 0, "BYTES", "memory, -1 for no limit"), .apply = set_bytes,
	  .pointer = "/linux/resources/memory/limit", .min = -1, .max = NO_LIMIT },
	{ VALUE("linux-mem-reservation", 0, "BYTES", "memory to keep when it gets scarce"),
	  .apply = set_bytes, .pointer = "/linux/resources/memory/reservation", .min = -1,
	  .max = NO_LIMIT },
	{ VALUE("linux-mem-swap", 0, "BYTES", "memory and swap together, -1 for no limit"),
	  .apply = set_bytes, .pointer = "/linux/resources/memory/swap", .min = -1,
	  .max = NO_LIMIT },
	{ VALUE("linux-cpu-shares", 0, "N", "weight against other control groups"),
	  .apply = set_number, .pointer = "/linux/resources/cpu/shares", .min = 2, .max = 262144 },
	{ VALUE("linux-cpu-period", 0, "MICROSECONDS", "length of a period"), .apply = set_number,
	  .pointer = "/linux/resources/cpu/period", .min = 1000, .max = 1000000 },
	{ VALUE("linux-cpu-quota", 0, "MICROSECONDS", "run time in a period, -1 for no limit"),
	  .apply = set_number, .pointer = "/linux/resources/cpu/quota", .min = -1,
	  .max = NO_LIMIT },
	{ VALUE("linux-cpus", 0, "LIST", "CPUs it may run on: 0-3,5"), .apply = set_text,
	  .pointer = "/linux/resources/cpu/cpus" },
	{ VALUE("linux-mems", 0, "LIST", "memory nodes it may use"), .apply = set_text,
	  .pointer = "/linux/resources/cpu/mems" },
	{ VALUE("linux-pids-limit", 0, "N", "processes and threads, -1 for no limit"),
	  .apply = set_number, .pointer = "/linux/resources/pids/limit", .min = -1,
	  .max = NO_LIMIT },
	{ VALUE("linux-oom-score-adj", 0, "N", "how soon the kernel kills it for memory"),
	  .apply = set_oom_score_adj, .pointer = "/process/oomScoreAdj", .min = -1000,
	  .max = 1000 },
	{ LIST("linux-masked-paths", 0, "PATH", "hide a path; none: hide no path of the default"),
	  .apply = add_path, .pointer = "/linux/maskedPaths" },
	{ LIST("linux-readonly-paths", 0, "PATH",
	       "make a path read-only; none: none of the default"),
	  .apply = add_path, .pointer = "/linux/readonlyPaths" },
	{ VALUE("linux-seccomp", 0, "PROFILE", "default, unconfined, or a file"),
	  .apply = set_seccomp },
};

#define RULE_COUNT (sizeof rules / sizeof *rules)
_Static_assert(RULE_COUNT <= OPTIONS_MAX, "the settings have a slot for every option");

static size_t slot_field(enum cli_option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
		return offsetof(struct option_slot, flag);
	case OPTION_LIST:
		return offsetof(struct option_slot, list);
	case OPTION_STRING:
	case OPTION_NUMBER:
		break;
	}
	return offsetof(struct option_slot, text);
}

size_t options_fill(struct cli_option *options, size_t offset)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		options[i] = rules[i].option;
		options[i].offset =
			offset + i * sizeof(struct option_slot) + slot_field(options[i].kind);
	}
	return RULE_COUNT;
}

bool options_given(const struct option_slot *slots, const char *pointer)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (rules[i].pointer && strcmp(rules[i].pointer, pointer) == 0 &&
		    (slots[i].flag || slots[i].text || slots[i].list.count > 0))
			return true;
	return false;
}

static int apply_value(struct generation *g, const struct option_rule *rule, const char *value,
		       struct error *err)
{
	const struct setting setting = { g, rule, value, err };

	if (generation_check_text(value, "the value", err) < 0 || rule->apply(&setting) < 0)
		return error_prefix(err, "--%s", rule->option.name);
	return 0;
}

int options_apply(struct generation *g, const struct option_slot *slots, struct error *err)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		const struct option_slot *slot = &slots[i];

		if (slot->flag && apply_value(g, &rules[i], "", err) < 0)
			return -1;
		if (slot->text && apply_value(g, &rules[i], slot->text, err) < 0)
			return -1;
		for (size_t j = 0; j < slot->list.count; j++)
			if (apply_value(g, &rules[i], slot->list.items[j], err) < 0)
				return -1;
	}
	return 0;
}
