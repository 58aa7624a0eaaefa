/* SPDX-License-Identifier: Apache-2.0 */
/* Pods in the words of the CRI. */
#pragma once
#include "ocid-dispatch/pods.h"

/* PodSandboxStatus. The caller owns it. */
json_t *pod_status(const struct records *records, const json_t *document);
