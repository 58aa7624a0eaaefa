/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of the CNI specification, such as "1.1.0". */
#pragma once
#include <stdbool.h>

#define CNI_VERSION_MIN "0.3.0"
#define CNI_VERSION_MAX "1.1.0"

/* As a number that orders versions, or -1 for what is none. */
int cni_version_number(const char *text);

/* Whether it is CNI_VERSION_MIN to CNI_VERSION_MAX. */
bool cni_version_is_supported(const char *text);
