/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports as people write them, as the CNI capability "portMappings" (CONVENTIONS.md). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Parse [HOSTIP:]HOSTPORT:PORT[/tcp|udp|sctp] (an IPv6 HOSTIP stands in brackets) and append
 * {hostPort, containerPort, protocol, hostIP?} to the array. ERROR_USAGE when it is malformed, or
 * when the array already maps that host port. */
int publish_parse(const char *text, json_t *mappings, struct error *err);

/* Whether two such mappings want the same port of the host. */
bool publish_conflicts(const json_t *one, const json_t *other);
