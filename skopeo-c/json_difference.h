/* SPDX-License-Identifier: Apache-2.0 */
/* In what two JSON objects differ. Pure. */
#pragma once
#include <jansson.h>

/* An object that has, for each member of either that the other one has not or has different, its
 * JSON pointer (RFC 6901) with {A, B}, the values, of which one may be missing. Members that are
 * objects on both sides are gone into; of arrays only what comes behind their common beginning is
 * told. The caller owns it. */
json_t *json_difference(const json_t *a, const json_t *b);
