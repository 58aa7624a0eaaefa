/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statuses of `run --wait` and `exec` when the command never ran, as runc and docker have
 * them: they pass on the command's own, from which these should be told. */
#pragma once
#include "lib/error.h"

/* Make an error's exit status 127 (no such command), 126 (it cannot be executed) or 125 (anything
 * else), by the runtime's words in it. Usage errors stay. Returns -1. */
int not_run(struct error *err);
