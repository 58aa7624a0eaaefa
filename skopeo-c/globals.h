/* SPDX-License-Identifier: Apache-2.0 */
/* The options that skopeo has for all of its verbs, and that stand before these. */
#pragma once
#include "lib/cli.h"

/* The same verbs, with those options of these that they do not have themselves, hidden from --help:
 * skopeo-c(1) has them. The array ends as `commands` does; globals_free() frees it. */
struct cli_command *globals_add(const struct cli_command *commands);
void globals_free(struct cli_command *commands);
