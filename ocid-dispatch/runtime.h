/* SPDX-License-Identifier: Apache-2.0 */
/* What the OCI runtimes can do, as they say themselves. */
#pragma once
#include <jansson.h>

/* The runtime at the path, as RuntimeHandlerFeatures of CRI: {recursiveReadOnlyMounts,
 * userNamespaces}. The caller owns it. */
json_t *runtime_features(const char *path);
