/* SPDX-License-Identifier: Apache-2.0 */
/* What Kubernetes limits a pod's traffic to: annotations, since CRI has no field for it. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* The CNI capability "bandwidth" by kubernetes.io/ingress-bandwidth and egress-bandwidth, which are
 * quantities of 1k to 1P bits a second; empty where there is neither. NULL: ERROR_USAGE. */
json_t *pod_bandwidth(const json_t *annotations, struct error *err);
