/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that a kubelet sends with a pull. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* Put the CRI's AuthConfig, for images of `registry`, as an auth.json (containers-auth.json(5))
 * into a file in memory. Returns its descriptor, or 0 when there are no credentials, or they are
 * meant for another server than the registry. */
int registry_auth_file(const json_t *auth, const char *registry, struct error *err);
