/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel parameters (sysctl(8)) of which every namespace has its own. */
#pragma once
#include "ctr-net/pin.h"

struct strings;

/* The kind of namespace that the parameter of "KEY=VALUE" belongs to; KEY has dots or slashes.
 * -1 with ERROR_USAGE where it is malformed, or where it is the whole machine's. */
int sysctl_kind(const char *assignment, struct error *err);

/* Set them all, each one in the namespace that this process is in; NULL: none. ERROR_NOT_FOUND for
 * one that the kernel does not have, ERROR_USAGE for a value that it refuses. */
int sysctl_set(const struct strings *assignments, struct error *err);
