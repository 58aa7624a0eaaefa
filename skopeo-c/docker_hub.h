/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

/* True for each of the names of Docker's registry. */
bool docker_hub_is(const char *host);
