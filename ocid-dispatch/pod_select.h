/* SPDX-License-Identifier: Apache-2.0 */
/* Pods that a filter of the CRI lets through. */
#pragma once
#include "ocid-dispatch/pods.h"

/* The name in the CRI of what a pod, which is made, is: PodSandboxState. */
const char *pod_state_name(enum pod_state state);

/* The ids that a filter's `text` leaves: that pod's, where there is one, or all when it is "". */
int pod_choose(const struct records *records, const char *text, struct strings *ids,
	       struct error *err);

/* The documents of all pods that a PodSandboxFilter (or NULL) lets through, but for those that are
 * being made. The caller owns the array. */
json_t *pod_select(const struct records *records, const json_t *filter, struct error *err);

/* Whether the labels have all of the selector's. */
bool labels_match(const json_t *labels, const json_t *selector);
