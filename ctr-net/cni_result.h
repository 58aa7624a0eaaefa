/* SPDX-License-Identifier: Apache-2.0 */
/* What ADD answers (CNI SPEC 1.1, section 5, "ADD Success"), as a value. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether it has the shape that readers of a result rely on. */
bool cni_result_is_valid(const json_t *result);

/* Change it into a result of another version of CNI, with what that version knows of it:
 *
 *   before 1.0.0   ips have "version", "4" or "6"; interfaces have no mtu, socketPath, pciID
 *   since 1.0.0    ips have no "version"
 *
 * ERROR_UNSUPPORTED where either version is not supported. */
int cni_result_convert(json_t *result, const char *version, struct error *err);
