/* SPDX-License-Identifier: Apache-2.0 */
/* How options change the configuration. Setters are shared: the row says which member, and what
 * values it takes. */
#pragma once
#include "lib/cli.h"

#include <jansson.h>

struct generation;

struct setting;
typedef int option_setter(const struct setting *s);

/* One option: a row of the table in options_table.c. */
struct option_rule {
	struct cli_option option; /* its offset is filled in by options_fill() */
	option_setter *apply;
	const char *pointer; /* the member it sets or appends to */
	long long min, max;  /* of a number */
	const char *member;  /* of the entries of a list; an action; what to use instead */
	unsigned sets;	     /* of capabilities */
};

/* The table; options_rule_count rows. */
extern const struct option_rule options_rules[];
extern const size_t options_rule_count;

/* One use of an option, for its setter. */
struct setting {
	struct generation *g;
	const struct option_rule *rule;
	const char *value; /* "" for a flag */
	struct error *err;
};

/* The value is not in the form that the table shows. Returns -1. */
int setting_malformed(const struct setting *s);

/* Exactly `count` decimal numbers with colons between. */
int setting_numbers(const struct setting *s, const char *text, long long *numbers, size_t count);

/* The index of the entry of a list whose member `key` is `text`; the length where there is none. */
size_t setting_find(const json_t *list, const char *key, const char *text);

/* Set process.oomScoreAdj, or our own value where a lower one may not be set; `what` asked for it,
 * and is warned about that. */
void setting_oom_score_adj(struct generation *g, long long value, const char *what);

/* For any member. Bytes may end with k, m, g or t, for powers of 1024; an octal number is one of
 * permissions; JSON is an object. */
option_setter set_true, set_one, set_text, set_absolute, set_number, set_octal, set_bytes, set_pair,
	set_json, add_json, add_text, clear_member, refuse_obsolete;

/* For what needs its own syntax. */
option_setter add_path, set_args, set_entrypoint, set_env, set_env_file, set_user, set_uid, set_gid,
	add_group, set_hostname, set_version, set_console_size, add_rlimit, remove_rlimit,
	add_capabilities, drop_capabilities, drop_all_capabilities, set_privileged, add_bind,
	add_tmpfs, add_mount, remove_mount, remove_all_mounts, set_image_volumes, add_hook,
	add_namespace, remove_namespace, add_mapping, set_oom_score_adj, add_device, remove_device,
	add_device_rule, remove_device_rule, add_cdi_device, add_cdi_directory, set_block_device,
	add_huge_page, remove_huge_page, set_network_priority, add_windows_device, set_io_priority,
	set_time_offset, set_net_device, set_rdma, set_pids_limit;

/* The seccomp filter: what is asked is kept in order, and done when the filter is made. */
option_setter set_seccomp, edit_seccomp;
