/* SPDX-License-Identifier: Apache-2.0 */
/* Which version of the runtime specification brought which member, after 1.0. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* The table ends with a row without a pointer; "*" stands for each entry of an array. */
struct version_member {
	const char *pointer, *version;
};
extern const struct version_member version_members[];

/* True when the configuration has the member. */
bool version_is_used(const json_t *config, const struct version_member *member);

/* The version that brought the member at a pointer whose indexes are "*", or NULL for 1.0. */
const char *version_of(const char *pointer);

/* Compare MAJOR.MINOR.PATCH numbers; what follows is not looked at. */
int version_compare(const char *a, const char *b);
