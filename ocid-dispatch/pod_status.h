/* SPDX-License-Identifier: Apache-2.0 */
/* Pods in the words of the CRI. */
#pragma once
#include "ocid-dispatch/pods.h"

/* PodSandboxStatus. The caller owns it. */
json_t *pod_status(const struct records *records, const json_t *document);

/* The documents of all pods that a PodSandboxFilter (or NULL) lets through, but for those that are
 * being made. The caller owns the array. */
json_t *pod_select(const struct records *records, const json_t *filter, struct error *err);

/* Whether the labels have all of the selector's. */
bool labels_match(const json_t *labels, const json_t *selector);
