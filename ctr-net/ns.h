/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces: pinned ones (pin.h), and any others that a path leads to. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct cli;
struct netlink;

/* The state directory --runroot for verbs that only read: it is not made. The caller frees it. */
char *ns_runroot(const struct cli *cli);

/* The path for what a user calls a namespace: a word with a slash is a path (made absolute), any
 * other the name of a pinned one. Nothing needs to be there. The caller frees it. */
char *ns_path(const char *runroot, const char *name, struct error *err);

#define NEEDS_ROOT "namespaces and networks need root, and not of a user namespace"

/* Open a network namespace. ERROR_NOT_FOUND; ERROR_USAGE when it is something else. */
int ns_open(const char *path, struct error *err);

/* Whether the open namespace is the one that this process is in. */
bool ns_is_ours(int ns_fd);

/* A netlink socket into the open namespace; this process stays where it is. */
int ns_netlink(int ns_fd, struct netlink *netlink, struct error *err);
