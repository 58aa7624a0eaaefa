/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host that containers have published. A plugin would let the second container take a
 * port in silence, and traffic would go on to the first. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct record;

/* ERROR_IN_USE when a container that is connected, this one by another network or another, has one
 * of the host ports in capabilities.portMappings. Returns a descriptor of the lock on all ports, to
 * be closed once the record says that they are taken. */
int ports_reserve(const struct record *record, const json_t *capabilities, struct error *err);
