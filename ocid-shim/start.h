/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

struct container;

/* Tell the service manager, where it is to be told (--sd-notify), that the container runs and which
 * process stands for it. */
int start_announce(const struct container *container, struct error *err);
