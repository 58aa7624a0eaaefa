/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ocid-shim/container.h"

enum { RUNTIME_KILL_MS = 5000 };

/* Send a signal to the container's first process: by the runtime, to which descriptor `lock` (-1:
 * none) is handed on; where that does not do it within so much time, and RUNTIME_KILL_MS, by
 * ourselves. Runtimes take a process for dead whose first thread has ended, while its others go on.
 * -1, with what the runtime said, also when it has ended. */
int kill_container(const struct store *store, const struct container *container, int lock,
		   int number, int timeout_ms, struct error *err);
