/* SPDX-License-Identifier: Apache-2.0 */
/* Names that the kernel and the runtime specification define; used to make and to check. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel takes for an error when a call returns it negated. */
enum { ERRNO_MAX = 4095 };

/* Capabilities by number (capabilities(7)); a set of them is a bit mask. */
enum { CAPABILITY_COUNT = 41 };
extern const char *const known_capabilities[CAPABILITY_COUNT + 1];

/* "CAP_CHOWN", "chown" and "Cap_Chown" are the same. -1 for a name that is none. */
int known_capability(const char *name);

/* RLIMIT_* (getrlimit(2)); NULL-terminated. */
extern const char *const known_rlimits[];

/* "RLIMIT_CPU", "cpu" and "Rlimit_Cpu" are the same. NULL for a name that is none. */
const char *known_rlimit(const char *name);

/* Namespace types of config-linux.md, "Namespaces"; ends with a row whose type is NULL. */
struct known_namespace {
	const char *type;
	const char *alias; /* the name below /proc/PID/ns */
	int flag;	   /* CLONE_NEW* */
};
extern const struct known_namespace known_namespaces[];

/* The type's name for a type or alias, or NULL. */
const char *known_namespace_type(const char *name);

/* The namespace that a sysctl belongs to ("ipc", "network", "uts"), or NULL for a sysctl of the
 * whole machine, which a container may not have. */
const char *known_sysctl_namespace(const char *sysctl);

/* Mount options that are flags of mount(2), of propagation, or of the runtimes themselves (not
 * data for one file system). */
bool known_mount_option(const char *option, size_t length);

/* Whether a seccomp action (SCMP_ACT_*) takes a number: the errno that the call fails with, or what
 * a tracer is told. */
bool known_action_takes_errno(const char *action);

/* True when a NULL-terminated list has the text. */
bool known_in(const char *const *list, const char *text);
