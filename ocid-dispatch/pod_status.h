/* SPDX-License-Identifier: Apache-2.0 */
/* Pods in the words of the CRI. */
#pragma once
#include "ocid-dispatch/pods.h"

/* PodSandboxStatus. The caller owns it. */
json_t *pod_status(const struct records *records, const json_t *document);

/* The ids that a filter's `text` leaves: that pod's, where there is one, or all when it is "". */
int pod_choose(const struct records *records, const char *text, struct strings *ids,
	       struct error *err);

/* The documents of all pods that a PodSandboxFilter (or NULL) lets through, but for those that are
 * being made. The caller owns the array. */
json_t *pod_select(const struct records *records, const json_t *filter, struct error *err);

/* Whether the labels have all of the selector's. */
bool labels_match(const json_t *labels, const json_t *selector);
