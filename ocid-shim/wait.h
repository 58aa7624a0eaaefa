/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

struct cli;
struct container;

/* Wait until the container has ended, and print its exit record with its id. ERROR_FAILED where
 * nobody knows how it ended. */
int wait_and_print(const struct cli *cli, const struct container *container, struct error *err);
