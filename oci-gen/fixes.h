/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs of a config.json where there is but one that can be meant. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* Repair what a finding (a row of struct findings) is about. False where there is no certain
 * repair. Other findings point elsewhere afterwards, unless they come before it in the
 * configuration. */
bool fixes_apply(json_t *config, const json_t *finding);
