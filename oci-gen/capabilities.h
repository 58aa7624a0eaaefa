/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of capabilities as bit masks, and process.capabilities (config.md, "Linux Process"). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The first three are what a container is commonly said to have. */
enum capability_set {
	SET_BOUNDING,
	SET_EFFECTIVE,
	SET_PERMITTED,
	SET_INHERITABLE,
	SET_AMBIENT,
	CAPABILITY_SETS
};
#define ORDINARY_SETS (1u << SET_BOUNDING | 1u << SET_EFFECTIVE | 1u << SET_PERMITTED)
#define ALL_SETS      ((1u << CAPABILITY_SETS) - 1)

/* What this process could hand on: its bounding set, of the capabilities we know. A runtime that
 * it starts cannot give more. */
uint64_t capabilities_available(void);

/*
 * What is asked for, whatever the order: the base of a set is everything that is available,
 * nothing, or what it was; from it the dropped ones are taken, and then the added ones are put in.
 */
struct capability_choice {
	bool changed;
	struct {
		bool all, none;
		uint64_t otherwise, added, dropped;
	} sets[CAPABILITY_SETS];
};

/* One more by name, to or from the sets of a mask of 1 << enum capability_set; "ALL" chooses the
 * base. ERROR_USAGE for an unknown name, ERROR_UNSUPPORTED for one to add that is not available. */
int capabilities_add(struct capability_choice *choice, unsigned sets, const char *name,
		     struct error *err);
int capabilities_drop(struct capability_choice *choice, unsigned sets, const char *name,
		      struct error *err);

/* Take the base of every set from process.capabilities; what is not known is passed over. */
void capabilities_read(struct capability_choice *choice, const json_t *json);

/* ERROR_USAGE where one is to be ambient that is not inheritable: no runtime can make it so. */
int capabilities_check(const struct capability_choice *choice, struct error *err);

/* The set that results. */
uint64_t capabilities_resolve(const struct capability_choice *choice, enum capability_set set);

/* All sets as process.capabilities. Inheritable and ambient are left out where they are empty, as
 * they are unless asked for: a program then gains nothing by being run from another. The caller
 * owns it. */
json_t *capabilities_json(const struct capability_choice *choice);
