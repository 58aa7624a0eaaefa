/* SPDX-License-Identifier: Apache-2.0 */
/* How options change the configuration. Setters are shared: the row says which member, and what
 * values it takes. */
#pragma once
#include "lib/cli.h"

struct generation;

struct setting;
typedef int option_setter(const struct setting *s);

/* One option: a row of the table in options.c. */
struct option_rule {
	struct cli_option option; /* its offset is filled in by options_fill() */
	option_setter *apply;
	const char *pointer; /* the member it sets or appends to */
	long long min, max;  /* of a number */
};

/* One use of an option, for its setter. */
struct setting {
	struct generation *g;
	const struct option_rule *rule;
	const char *value; /* "" for a flag */
	struct error *err;
};

/* For any member. Bytes may end with k, m, g or t, for powers of 1024. */
option_setter set_true, set_text, set_number, set_bytes, set_pair;

/* For what needs its own syntax. */
option_setter add_path, set_args, set_entrypoint, set_env, set_env_file, set_user, set_uid, set_gid,
	add_group, set_hostname, add_rlimit, add_capability, drop_capability, drop_capabilities,
	set_privileged, add_bind, add_tmpfs, add_mount, add_namespace, remove_namespace,
	set_oom_score_adj, set_seccomp;
