/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

struct cli;
struct container;

/* Wait until the container has ended, and print its exit record with its id. ERROR_FAILED where
 * nobody knows how it ended. */
int wait_and_print(const struct cli *cli, const struct container *container, struct error *err);

/* Wait for the container's end. Its exit code, or -1 with err where nobody knows it. */
int wait_for_code(const struct container *container, struct error *err);
