/* SPDX-License-Identifier: Apache-2.0 */
/* A PodSandboxConfig, before anything is made for it. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* ERROR_USAGE for what is asked for wrongly and would show later, or never. */
int pod_config_check(const json_t *config, struct error *err);
