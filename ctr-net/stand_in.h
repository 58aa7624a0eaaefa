/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference plugins that masquerade (bridge, ptp) find their firewall rules by the addresses of
 * the interface in the container's namespace. Where that is gone, a stand-in has such an interface:
 * they take it down as they would have the container's, and the rules with it. Others (sbr) fail
 * without any namespace.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* A network namespace with the interface of that name and the addresses of the CNI result; nothing
 * but the returned descriptor keeps it. */
int stand_in_make(const char *ifname, const json_t *result, struct error *err);
