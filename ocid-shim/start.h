/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

struct container;
struct store;

/* Have the runtime start a container that was created. The caller holds its lock. */
int start_container(const struct store *store, const struct container *container, int lock,
		    struct error *err);
