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
 * other the name of a pinned one. Nothing needs to be there; where its directory is, it is named
 * without links, so that one namespace has one path. The caller frees it. */
char *ns_path(const char *runroot, const char *name, struct error *err);

/* Fail where it cannot be the name of a pinned namespace; ERROR_USAGE. */
int ns_check_name(const char *name, struct error *err);

#define NEEDS_ROOT "namespaces and networks need root, and not of a user namespace"

/* Open a network namespace. ERROR_NOT_FOUND; ERROR_USAGE when it is something else. */
int ns_open(const char *path, struct error *err);

/* ERROR_USAGE where it is the namespace that this process is in, which plugins would break. */
int ns_check_not_ours(const char *path, struct error *err);

/* What no other network namespace ever has, while paths and the numbers of inodes are used again.
 * NULL where that cannot be told; the caller frees it. */
char *ns_identity(int ns_fd, const struct netlink *netlink);

/* 1 where the path leads to a network namespace, and to the one of that identity (NULL: to any), 0
 * where it does not, -1 where that cannot be told. */
int ns_look(const char *path, const char *identity);

/* A netlink socket into the open namespace; this process stays where it is. */
int ns_netlink(int ns_fd, struct netlink *netlink, struct error *err);
