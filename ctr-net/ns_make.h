/* SPDX-License-Identifier: Apache-2.0 */
/* Making namespaces and pinning them. */
#pragma once
#include "ctr-net/pin.h"
#include "lib/memory.h"

#include <sys/types.h>

/* What is made together belongs together: the namespaces are owned by the user namespace that is
 * made with them. Zero-initialised it makes nothing. */
struct ns_plan {
	bool kinds[PIN_KINDS];
	pid_t pid;		       /* with PIN_PID: the process whose PID namespace it is */
	char *uid_map, *gid_map;       /* with PIN_USER: as /proc/PID/uid_map has them */
	const char *hostname;	       /* with PIN_UTS, or NULL: the host's */
	const struct strings *sysctls; /* checked by sysctl_parse(), or NULL */
};

/* Make them all, bring loopback up in a network namespace, and pin them under `name`. On failure
 * nothing is left. ERROR_EXISTS where one of them is pinned already. */
int ns_make(const struct ns_plan *plan, const char *runroot, const char *name, struct error *err);

/* A new network namespace that nothing but the returned descriptor keeps. */
int ns_make_loose(struct error *err);
