/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of capabilities as bit masks, and process.capabilities (config.md, "Linux Process"). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdint.h>

/* What this process could hand on: its bounding set, of the capabilities we know. A runtime that
 * it starts cannot give more. */
uint64_t capabilities_available(void);

/* Add or take away one by name; "ALL" stands for every one that is available. ERROR_USAGE for an
 * unknown name, ERROR_UNSUPPORTED for one to add that is not available. */
int capabilities_add(uint64_t *set, const char *name, struct error *err);
int capabilities_drop(uint64_t *set, const char *name, struct error *err);

/* The set as process.capabilities: bounding, effective and permitted. Inheritable and ambient
 * stay empty, so that a program gains nothing by being run from another. The caller owns it. */
json_t *capabilities_json(uint64_t set);
