/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of capabilities as bit masks, and process.capabilities (config.md, "Linux Process"). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What this process could hand on: its bounding set, of the capabilities we know. A runtime that
 * it starts cannot give more. */
uint64_t capabilities_available(void);

/* What the options say, whatever their order: the base is everything that is available, nothing, or
 * the default; from it the dropped ones are taken, and then the added ones are put in. */
struct capability_choice {
	bool all, none;
	uint64_t added, dropped;
};

/* One more by name; "ALL" chooses the base. ERROR_USAGE for an unknown name, ERROR_UNSUPPORTED for
 * one to add that is not available. */
int capabilities_add(struct capability_choice *choice, const char *name, struct error *err);
int capabilities_drop(struct capability_choice *choice, const char *name, struct error *err);

/* The set that results; `otherwise` is the default. */
uint64_t capabilities_resolve(const struct capability_choice *choice, uint64_t otherwise);

/* The set as process.capabilities: bounding, effective and permitted. Inheritable and ambient
 * stay empty, so that a program gains nothing by being run from another. The caller owns it. */
json_t *capabilities_json(uint64_t set);
