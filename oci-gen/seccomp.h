/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp (config-linux.md, "Seccomp"): the built-in profile, or one from a file. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Make the filter for a container with these capabilities (a bit mask). `choice` is "default",
 * "unconfined" (*ret stays NULL) or a file: either a linux.seccomp object, or a profile as docker
 * and containers-common write them, whose archMap, includes and excludes are resolved here. Lists
 * of names go to `lists` (seccomp_names.h).
 */
int seccomp_make(const char *choice, uint64_t capabilities, struct strings *lists, json_t **ret,
		 struct error *err);

/*
 * Change a filter: "default" and "default-force" set the action for calls without a rule (the first
 * also drops the rules that would do the same), "allow", "errno", "kill", "trace", "trap" and
 * "notify" add rules for calls, "remove" drops them, "remove-all" drops all, "arch" and "flag" add
 * architectures and flags, "listenerPath" and "listenerMetadata" set that member. The value may be
 * several with commas between. ERROR_USAGE for a malformed one, as the check tells before.
 */
int seccomp_edit(json_t *filter, const char *verb, const char *value, struct error *err);
int seccomp_check_edit(const char *verb, const char *value, struct error *err);

/* A filter that lets everything through. The caller owns it. */
json_t *seccomp_open(void);

/* The built-in profile; see seccomp_default.c. The caller owns it. */
json_t *seccomp_default(uint64_t capabilities, struct strings *lists);

/* The architectures of this machine as libseccomp calls them, native first; NULL-terminated, and
 * empty on a machine that is not known here: runtimes then filter the native one. */
extern const char *const seccomp_architectures[];
