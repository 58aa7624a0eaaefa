/* SPDX-License-Identifier: Apache-2.0 */
/* Containers in the words of the CRI. */
#pragma once
#include "ocid-dispatch/containers.h"

/* ContainerStatus from the container's record. The caller owns it. */
json_t *container_status(const struct records *records, const json_t *record);

/* That of all containers of a pod. The caller owns the array. */
json_t *container_statuses(const struct records *records, const char *pod, struct error *err);

/* The records of all containers that a ContainerFilter (or NULL) lets through, each with
 * podSandboxId and state: a Container. NULL on failure; the caller owns the array. */
json_t *container_select(const struct records *records, const json_t *filter, struct error *err);
