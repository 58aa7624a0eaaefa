/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs of a config.json where there is but one that can be meant. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* Of all findings, first those are repaired where each entry of a list stays in its place, then
 * those where entries are taken out, from the last finding to the first: so none points elsewhere.
 */
enum fixes_turn { FIXES_IN_PLACE, FIXES_OF_LISTS, FIXES_TURNS };

/* Repair what a finding (a row of struct findings) is about, when it is its turn. False where there
 * is no certain repair. */
bool fixes_apply(json_t *config, const json_t *finding, enum fixes_turn turn);
