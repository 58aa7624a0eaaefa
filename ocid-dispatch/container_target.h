/* SPDX-License-Identifier: Apache-2.0 */
/* Another container of the pod, whose processes a container is to share. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct records;

/* The path of the PID namespace of the target that a ContainerConfig names; NULL in *path where it
 * names none. The caller frees it. An error where the target does not run in that pod. */
int container_target(const struct records *records, const json_t *config, const char *pod,
		     char **path, struct error *err);
