/* SPDX-License-Identifier: Apache-2.0 */
/* All containers of a run root. */
#pragma once
#include "lib/error.h"

struct container;
struct store;

/* Call `visit` for each container, by the order of their ids; it may keep nothing of it. */
int directory_each(const struct store *store,
		   void (*visit)(const struct container *container, void *context), void *context,
		   struct error *err);
