/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads or processes are worth having. */
#pragma once
#include <stddef.h>

/* The processors that this process may run on; at least 1. */
size_t processors_usable(void);
